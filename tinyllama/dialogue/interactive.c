/* The dialogue on the console. */
#include "interactive.h"
#include "kernel_lib/jit_runtime.h"
#include "line_editor.h"
#include "tinyllama/profiling.h"

#define CONTROL_C 3
#define PAUSE_MS 300

/* Bytes typed while a text is generated. They are read then, so that a Ctrl-C behind them is seen.
 * At the largest room reading stops: what the other end of the serial line holds is not lost. */
static char *typed_ahead;
static size_t ahead_size, ahead_read, ahead_room;
#define FIRST_ROOM 256
#define LARGEST_SHARE 16 /* of the memory */

static bool has_generated; /* a text: before, the JIT cannot know what will run */
static bool unsaved;       /* the JIT has learnt what is not on the disk */
static bool is_line_empty; /* nothing was typed behind the prompt */

static void show_prompt(void) {
    console_puts("> ");
    is_line_empty = true;
}

/* Lets the JIT compile, after PAUSE_MS without input, until a byte is typed; then saves what it has
 * made and learnt. When there is nothing more to learn, the machine writes its next kernel. */
static void use_pause(void) {
    uint64_t begin = cpu_rdtsc();
    bool typed = console_wait(PAUSE_MS);
    for (; !typed && jit_use_idle_time(); typed = console_wait(0))
        unsaved = true;
    if (!typed && unsaved) {
        jit_persist_save();
        unsaved = false;
    }
    if (!typed && is_line_empty && jit_settle_due()) {
        console_puts("\n");
        jit_settle();
        show_prompt();
    }
    jit_note_waiting(begin);
}

static int next_byte(void) {
    if (ahead_read < ahead_size)
        return (unsigned char)typed_ahead[ahead_read++];
    ahead_read = ahead_size = 0;
    if (has_generated)
        use_pause();
    uint64_t begin = cpu_rdtsc();
    int byte = console_getchar();
    jit_note_waiting(begin);
    return byte;
}

/* Makes room for another byte, if there is none. */
static bool has_room(void) {
    if (ahead_size < ahead_room)
        return true;
    size_t room = ahead_room ? 2 * ahead_room : FIRST_ROOM;
    char *grown = room <= memory_usage().total / LARGEST_SHARE ? realloc(typed_ahead, room) : NULL;
    if (!grown)
        return false;
    typed_ahead = grown;
    ahead_room = room;
    return true;
}

/* Whether Ctrl-C has been typed, which also drops what was typed before it. */
static bool stop_typed(void) {
    while (has_room()) {
        int byte = console_read();
        if (byte < 0)
            return false;
        if (byte == CONTROL_C) {
            ahead_read = ahead_size = 0;
            return true;
        }
        typed_ahead[ahead_size++] = (char)byte;
    }
    return false;
}

/* Reads a line; NULL at the end of the input. */
static const char *read_line(struct line_editor *editor) {
    for (;;) {
        show_prompt();
        for (enum line_event event = LINE_TYPING; event != LINE_CANCELLED;) {
            int byte = next_byte();
            if (byte < 0)
                return NULL;
            is_line_empty = false;
            event = line_editor_byte(editor, (unsigned char)byte);
            if (event == LINE_ENDED)
                return NULL;
            if (event == LINE_ENTERED)
                return line_editor_take(editor);
        }
    }
}

/* Says why a text has ended, where that is not plain to see. */
static void print_end(const struct dialogue *dialogue) {
    const char *end = dialogue->last.end;
    if (strcmp(end, "context") == 0)
        console_printf("The model's context of %u tokens is full: the %s stops here.\n",
                       (unsigned)dialogue->generator->inference->model->config.context,
                       dialogue->chat ? "answer" : "text");
    else if (strcmp(end, "stopped") == 0)
        console_puts("Stopped.\n");
    else if (dialogue->chat && strcmp(end, "steps") == 0)
        console_printf("The answer has %u tokens (/set steps): it stops here.\n",
                       (unsigned)dialogue->settings->steps);
}

/* Generates a text: from a prompt; in a chat, the answer to a text, or NULL: the last answer once
 * more. */
static void answer(struct dialogue *dialogue, const char *text) {
    struct generation *generation = &dialogue->last;
    struct chat *chat = dialogue->chat;
    struct error error;
    jit_note_progress(JIT_GOES_ON);
    *generation = (struct generation){.prompt = text, .begin = cpu_rdtsc(), .stop = stop_typed};
    bool good = !chat  ? generate(dialogue->generator, generation, &error)
                : text ? chat_say(chat, text, generation, &error)
                       : chat_regenerate(chat, generation, &error);
    if (good)
        print_end(dialogue);
    else
        console_printf("error: %s\n", error.text);
    has_generated = true;
    jit_note_progress(JIT_WAITS);
    unsaved = !jit_persist_save_when_due(); /* a person may just switch off */
}

void interactive_run(struct dialogue *dialogue) {
    static struct line_editor editor;
    static char command[LINE_SIZE];
    line_editor_init(&editor, console_write);
    profiling_enable(true);
    console_puts(dialogue->chat
                     ? "Say something to the model; /help lists the commands.\n"
                     : "Type the beginning of a story, or nothing; /help lists the commands.\n");
    snapshots_report_success();
    jit_note_progress(JIT_WAITS);
    for (const char *line; (line = read_line(&editor));) {
        if (line[0] != '/') {
            line += dialogue->chat ? strspn(line, " ") : 0;
            if (!dialogue->chat || *line)
                answer(dialogue, line);
            continue;
        }
        strcpy(command, line);
        if (!command_run(dialogue, command))
            return;
        if (dialogue->regenerate)
            answer(dialogue, NULL);
        dialogue->regenerate = false;
    }
}
