/* The commands of the dialogue. */
#include "commands.h"
#include "kernel_lib/jit_runtime.h"
#include "tinyllama/bench/bench.h"
#include "tinyllama/chat/chat_file.h"
#include "tinyllama/profiling.h"

static void print_help(struct dialogue *dialogue, char *arguments);

static void print_error(const struct error *error) {
    console_printf("error: %s\n", error->text);
}

/* Makes the settings count from the next text on. */
static void apply(const struct dialogue *dialogue, bool new_seed) {
    const struct settings *settings = dialogue->settings;
    struct generator *generator = dialogue->generator;
    generator->sampler->sampling = settings->sampling;
    generator->steps = generator_steps(generator->inference->model, settings);
    if (new_seed)
        generator->sampler->state = generator_seed(settings);
}

static void set(struct dialogue *dialogue, char *arguments) {
    struct error error;
    if (!*arguments) {
        settings_print(dialogue->settings);
        return;
    }
    char *value = arguments + strcspn(arguments, " =");
    if (*value)
        *value++ = '\0';
    value += strspn(value, " =");
    if (settings_set(dialogue->settings, arguments, value, &error))
        apply(dialogue, strcmp(arguments, "seed") == 0);
    else
        print_error(&error);
}

static void print_stats(struct dialogue *dialogue, char *arguments) {
    (void)arguments;
    const struct generation *last = &dialogue->last;
    struct memory_usage memory = memory_usage();
    uint64_t rate = generation_rate(last);
    uint32_t prompt = last->prompt_tokens - last->kept;
    console_printf("last text: %u tokens, %u of them the prompt's; %llu.%02llu tokens/s\n",
                   (unsigned)last->tokens,
                   prompt ? (unsigned)prompt - 1 : 0, /* without BOS, or what was there before */
                   (unsigned long long)(rate / 100), (unsigned long long)(rate % 100));
    console_printf(
        "memory: %llu KiB used, at most %llu, of %llu\n", (unsigned long long)(memory.used / 1024),
        (unsigned long long)(memory.peak / 1024), (unsigned long long)(memory.total / 1024));
    const struct inference *in = dialogue->generator->inference;
    console_printf("KV cache: %zu KiB, %s, %u positions\n", kv_cache_bytes(&in->cache) / 1024,
                   kv_type_names[in->cache.type], (unsigned)in->positions);
    console_puts("cycles in a layer: ");
    profiling_print_layer();
}

static void print_profile(struct dialogue *dialogue, char *arguments) {
    (void)arguments;
    if (dialogue->last.tokens == 0)
        console_puts("Nothing has been measured yet: generate a text first.\n");
    else
        profiling_print();
}

static void print_jit(struct dialogue *dialogue, char *arguments) {
    (void)dialogue, (void)arguments;
    jit_print();
}

static void bench(struct dialogue *dialogue, char *arguments) {
    (void)arguments;
    struct error error;
    jit_profile_reset(); /* its tables show only what it measures itself */
    if (!bench_run(dialogue->generator, "", false, dialogue->begin, dialogue->initialised, &error))
        print_error(&error);
    jit_profile_reset();
    dialogue->last = (struct generation){0};
    profiling_enable(true);
}

static void save(struct dialogue *dialogue, char *arguments) {
    struct error error;
    bool with_cache;
    if (*arguments && dialogue->chat) {
        files_resume();
        if (!chat_save(dialogue->chat, arguments, &with_cache, &error))
            print_error(&error);
        else
            console_printf("The conversation is saved%s.\n",
                           with_cache ? "" : " without its KV cache: /load will read it again");
    } else if (*arguments) {
        console_printf("error: /save stands alone, without \"%.40s\"\n", arguments);
    } else if (!jit_available()) {
        console_puts("There is no JIT: nothing is saved.\n");
    } else {
        files_resume();
        jit_persist_save();
    }
}

static void load(struct dialogue *dialogue, char *arguments) {
    const struct conversation *conversation = &dialogue->chat->conversation;
    struct error error;
    bool with_cache;
    if (!chat_load(dialogue->chat, arguments, &with_cache, &error))
        print_error(&error);
    else
        console_printf("A conversation of %u turn%s goes on%s.\n", (unsigned)conversation->count,
                       conversation->count == 1 ? "" : "s",
                       with_cache ? "" : "; it has to be read again");
}

static void export_kernel(struct dialogue *dialogue, char *arguments) {
    (void)dialogue, (void)arguments;
    struct error error;
    if (!jit_export(&error))
        print_error(&error);
}

static void trim_kernel(struct dialogue *dialogue, char *arguments) {
    (void)dialogue, (void)arguments;
    struct error error;
    if (!jit_trim(&error))
        print_error(&error);
}

static void print_life(struct dialogue *dialogue, char *arguments) {
    (void)dialogue, (void)arguments;
    snapshots_print();
}

static void reboot(struct dialogue *dialogue, char *arguments) {
    (void)dialogue, (void)arguments;
    platform_reboot();
}

static void set_system(struct dialogue *dialogue, char *arguments) {
    struct error error;
    if (!chat_set_system(dialogue->chat, arguments, &error))
        print_error(&error);
    else if (!*arguments)
        console_puts("There is no system text now.\n");
}

static void reset(struct dialogue *dialogue, char *arguments) {
    (void)arguments;
    chat_reset(dialogue->chat);
    console_puts("A new conversation begins.\n");
}

static void regenerate(struct dialogue *dialogue, char *arguments) {
    (void)arguments;
    dialogue->regenerate = true;
}

enum needs {
    NOTHING,
    TEXT = 1, /* the command takes arguments */
    CHAT = 2, /* there is a chat */
};

static const struct command {
    const char *name, *meaning;
    void (*run)(struct dialogue *, char *arguments); /* NULL: ends the dialogue */
    unsigned needs;
} commands[] = {
    {"/help", "this list", print_help, NOTHING},
    {"/set", "NAME VALUE changes a setting; alone it shows all", set, TEXT},
    {"/system", "TEXT tells the model how to answer; alone it takes that away", set_system,
     TEXT | CHAT},
    {"/reset", "begins a new conversation", reset, CHAT},
    {"/regenerate", "generates the last answer once more", regenerate, CHAT},
    {"/load", "NAME goes on with a conversation that was saved", load, TEXT | CHAT},
    {"/stats", "speed, memory, and cycles of a layer's parts", print_stats, NOTHING},
    {"/profile", "where the time of the texts went", print_profile, NOTHING},
    {"/jit", "what was compiled, how fast it is, and why", print_jit, NOTHING},
    {"/bench", "measures functions and the model", bench, NOTHING},
    {"/save", "writes what the JIT has learnt to the disk; in a chat, NAME: the conversation", save,
     TEXT},
    {"/export", "writes the program as a kernel without a JIT to the disk", export_kernel, NOTHING},
    {"/trim", "writes the kernel without the functions that never ran", trim_kernel, NOTHING},
    {"/life", "the kernels that this machine has written for itself", print_life, NOTHING},
    {"/reboot", "starts the machine again", reboot, NOTHING},
    {"/poweroff", "ends; so does Ctrl-D", NULL, NOTHING},
    {"/exit", "the same", NULL, NOTHING},
    {"/quit", "the same", NULL, NOTHING},
};
#define COMMANDS (sizeof commands / sizeof *commands)

/* Whether there is this command now. */
static bool is_there(const struct dialogue *dialogue, const struct command *command) {
    return !(command->needs & CHAT) || dialogue->chat;
}

static void print_help(struct dialogue *dialogue, char *arguments) {
    (void)arguments;
    console_puts(dialogue->chat
                     ? "A line is said to the model, whose answer Ctrl-C stops. Commands:\n"
                     : "A line is the beginning of a story, which Ctrl-C stops. Commands:\n");
    for (size_t i = 0; i < COMMANDS; i++)
        if (is_there(dialogue, &commands[i]))
            console_printf("%-12s %s\n", commands[i].name, commands[i].meaning);
}

static const struct command *find(const struct dialogue *dialogue, const char *name) {
    for (size_t i = 0; i < COMMANDS; i++)
        if (is_there(dialogue, &commands[i]) && strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* Ends a text behind its last character that is no space. */
static void trim(char *text) {
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == ' ')
        text[--length] = '\0';
}

bool command_run(struct dialogue *dialogue, char *line) {
    trim(line);
    char *arguments = line + strcspn(line, " ");
    if (*arguments)
        *arguments++ = '\0';
    arguments += strspn(arguments, " ");
    const struct command *command = find(dialogue, line);
    if (!command) {
        console_printf("error: there is no command %.40s; there are", line);
        for (size_t i = 0; i < COMMANDS; i++)
            if (is_there(dialogue, &commands[i]))
                console_printf(" %s", commands[i].name);
        console_puts("\n");
        return true;
    }
    if (*arguments && !(command->needs & TEXT))
        console_printf("error: %s stands alone, without \"%.40s\"\n", line, arguments);
    else if (!command->run)
        return false;
    else
        command->run(dialogue, arguments);
    return true;
}
