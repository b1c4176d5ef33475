// sources: tinyllama/chat/chat.c tinyllama/chat/conversation.c tinyllama/chat/template.c
// sources: tinyllama/tokenizer.c tinyllama/tokenizer_encode.c tinyllama/tokenizer_markup.c
// sources: tinyllama/tokenizer_words.c kernel_lib/error.c kernel_lib/crc32.c
// sources: tests/host/memory_file.c tests/host/console.c
// sources: kernel_lib/io/format.c
/* Chats: what the model is given to read, and what of it the KV cache has already. */
#include "chat_tokenizer.h"
#include "console.h"
#include "tinyllama/chat/chat.h"

struct file *file_open(const char *path, struct error *error) {
    (void)path;
    error_set(error, "no files here");
    return NULL;
}

/* ---- In place of generation: what it is given, and what it answers ---- */

static char given[4096];
static uint32_t given_kept, given_tokens, given_positions;
static const uint32_t *answers; /* tokens that come, up to an EOS */
static bool fails;

static struct tokenizer t;

bool generate_tokens(const struct generator *generator, struct generation *generation,
                     const uint32_t *prompt, uint32_t positions, struct error *error) {
    uint32_t count = generation->prompt_tokens,
             context = generator->inference->model->config.context;
    strcpy(given, spelled(&t, prompt, count));
    given_kept = generation->kept;
    given_tokens = count;
    given_positions = positions;
    CHECK(generation->kept < count && positions <= context && positions >= count);
    if (fails)
        return error_set(error, "the disk is full");
    generation->end = positions < context ? "steps" : "context";
    uint32_t position = count - 1;
    for (; position < positions; position++, answers++) {
        if (*answers == EOS) {
            generation->end = "eos";
            break;
        }
        generation->answer[generation->answer_tokens++] = *answers;
    }
    generation->positions = position == positions ? positions : position + 1;
    return true;
}

static bool has = true;

bool kv_cache_has(const struct kv_cache *cache, uint32_t count) {
    (void)cache, (void)count;
    return has;
}

/* ---- Tests ---- */

static struct model model = {.config.context = 1000};
static struct inference inference = {.model = &model};
static struct generator generator = {&inference, NULL, &t, 0};
static struct settings settings;
static struct chat chat;
static struct generation generation;
static struct error error;

static void begin(const char *family, const char *system) {
    struct chat_template texts;
    settings.system = system;
    CHECK(chat_template_named(&texts, family, &error));
    CHECK(chat_init(&chat, &texts, &t, &generator, &settings, 7, &error));
}

/* Says something, and gets these tokens for an answer. */
static void say(const char *text, const uint32_t *tokens) {
    answers = tokens;
    generation = (struct generation){0};
    CHECK(chat_say(&chat, text, &generation, &error));
}
#define ANSWER(...) ((const uint32_t[]){__VA_ARGS__, EOS})

static void test_turns(void) {
    begin("chatml", "");
    say("Hi", ANSWER(BYTE('y'), BYTE('o')));
    CHECK(strcmp(given, "[<s>][<|im_start|>]user\nHi[<|im_end|>]\n[<|im_start|>]assistant\n") == 0);
    CHECK(given_kept == 0 && tokenizer_is_end(&t, END));
    uint32_t before = given_tokens + 2; /* and the answer */
    say("A</s>", ANSWER(BYTE('z')));
    CHECK(strcmp(given,
                 "[<s>][<|im_start|>]user\nHi[<|im_end|>]\n[<|im_start|>]assistant\nyo[<|im_end|>]"
                 "\n[<|im_start|>]user\nA</s>[<|im_end|>]\n[<|im_start|>]assistant\n") == 0);
    CHECK(given_kept == before);
    /* Once more: all but the answer is there, and the last token is run again. */
    uint32_t same = given_tokens;
    answers = ANSWER(BYTE('q'));
    generation = (struct generation){0};
    CHECK(chat_regenerate(&chat, &generation, &error));
    CHECK(given_tokens == same && given_kept == same - 1);
    CHECK(chat.conversation.turns[1].answer_count == 1 &&
          chat.conversation.turns[1].answer[0] == BYTE('q'));
    chat_reset(&chat);
    say("Ho", ANSWER(BYTE('y')));
    CHECK(strcmp(given, "[<s>][<|im_start|>]user\nHo[<|im_end|>]\n[<|im_start|>]assistant\n") == 0);
    CHECK(given_kept == 8); /* up to "H" */
    chat_free(&chat);
}

static void test_system(void) {
    begin("chatml", "Be kind.");
    say("Hi", ANSWER(BYTE('y')));
    CHECK(
        strstr(given, "[<s>][<|im_start|>]system\nBe kind.[<|im_end|>]\n[<|im_start|>]user\nHi") ==
        given);
    CHECK(chat_set_system(&chat, "", &error));
    say("Ho", ANSWER(BYTE('y')));
    CHECK(
        strstr(given,
               "[<s>][<|im_start|>]user\nHi[<|im_end|>]\n[<|im_start|>]assistant\ny[<|im_end|>]") ==
        given);
    char longer[600];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    CHECK(chat_set_system(&chat, "Old.", &error));
    CHECK(!chat_set_system(&chat, longer, &error));
    CHECK(strcmp(error.text,
                 "the system text has 629 tokens, more than half of the model's context of "
                 "1000; shorten it") == 0);
    CHECK(strcmp(chat.conversation.system, "Old.") == 0);
    chat_free(&chat);
    struct chat_template none;
    CHECK(chat_template_named(&none, "chatml", &error));
    none.system_begin = NULL;
    CHECK(!chat_init(&chat, &none, &t, &generator, &settings, 7, &error));
    CHECK(strcmp(error.text, "the model's chat template takes no system text") == 0);
    settings.system = "";
    chat_free(&chat);
}

/* Llama 2's: past answers begin with a space, which the model may have made itself. */
static void test_past_answers(void) {
    begin("llama2", "");
    say("Hi", ANSWER(BYTE(' '), BYTE('y')));
    CHECK(strcmp(given, "[<s>][INST] Hi [/INST]") == 0);
    uint32_t before = given_tokens + 2;
    say("Ho", ANSWER(BYTE('n')));
    CHECK(strcmp(given, "[<s>][INST] Hi [/INST] y [</s>][<s>][INST] Ho [/INST]") == 0);
    CHECK(given_kept == before);
    say("Ha", ANSWER(BYTE('n')));
    CHECK(strcmp(given, "[<s>][INST] Hi [/INST] y [</s>][<s>][INST] Ho [/INST] n [</s>][<s>][INST] "
                        "Ha [/INST]") == 0);
    chat_free(&chat);
}

static void test_thoughts(void) {
    begin("chatml", "");
    chat.texts.drops_thoughts = true;
    chat.texts.thoughts_space = "\n";
    chat.texts.answer = "[A]<think>\n";
    chat.texts.past_answer = "[A]";
    say("Hi", ANSWER(BYTE('t'), THINK_END, BYTE('\n'), BYTE('y')));
    CHECK(strcmp(given, "[<s>][<|im_start|>]user\nHi[A][<think>]\n") == 0);
    say("Ho", ANSWER(BYTE('n')));
    CHECK(
        strcmp(
            given,
            "[<s>][<|im_start|>]user\nHi[A]y[<|im_end|>]\n[<|im_start|>]user\nHo[A][<think>]\n") ==
        0);
    /* A template that leaves the line breaks behind the thoughts. */
    chat.texts.thoughts_space = "";
    say("Ha", ANSWER(BYTE('n')));
    CHECK(strstr(given, "user\nHi[A]\ny[<|im_end|>]\n[<|im_start|>]user\nHo[A]n[<|im_end|>]"));
    chat_free(&chat);
}

/* The system text goes on to the last text of the user. */
static void test_system_last(void) {
    struct chat_template texts = {.begin = "<s>[I]",
                                  .system_begin = "",
                                  .system_end = "\n\n",
                                  .answer = "[/I]",
                                  .past_answer = "[/I]",
                                  .turn = "</s>[I]",
                                  .system_last = true,
                                  .thoughts_space = ""};
    settings.system = "Be kind.";
    CHECK(chat_init(&chat, &texts, &t, &generator, &settings, 7, &error));
    say("Hi", ANSWER(BYTE('y')));
    CHECK(strcmp(given, "[<s>][I]Be kind.\n\nHi[/I]") == 0);
    say("Ho", ANSWER(BYTE('n')));
    CHECK(strcmp(given, "[<s>][I]Hi[/I]y[</s>][I]Be kind.\n\nHo[/I]") == 0);
    CHECK(given_kept == strlen("S[I]")); /* up to "H" */
    settings.system = "";
    CHECK(chat_set_system(&chat, "", &error));
    say("Ha", ANSWER(BYTE('n')));
    CHECK(strcmp(given, "[<s>][I]Hi[/I]y[</s>][I]Ho[/I]n[</s>][I]Ha[/I]") == 0);
    chat_free(&chat);
}

static const uint32_t endless[2000] = {[0 ... 1999] = BYTE('e')};

static void test_full_context(void) {
    model.config.context = 200;
    begin("chatml", "");
    settings.steps = 20;
    for (int i = 0; i < 5; i++)
        say("Hello, you", ANSWER(BYTE('y')));
    CHECK(chat.conversation.first == 0);
    console[0] = '\0';
    say("Hello, you", ANSWER(BYTE('y'))); /* would leave too little for an answer */
    CHECK(strcmp(console,
                 "(The context of 200 tokens is full: the oldest 3 turns slid out of it.)\n") == 0);
    CHECK(chat.conversation.first == 3 && given_tokens <= 100);
    CHECK(strstr(given, "[<s>][<|im_start|>]user\nHello, you[<|im_end|>]") == given);
    chat_reset(&chat);

    /* In the middle of an answer. */
    settings.steps = 0;
    say("Hello, you", ANSWER(BYTE('y')));
    say("Hello, you", ANSWER(BYTE('y')));
    console[0] = '\0';
    say("Go on", endless);
    CHECK(strcmp(console,
                 "(The context of 200 tokens is full: the oldest 2 turns slid out of it.)\n") == 0);
    CHECK(strcmp(generation.end, "context") == 0 && given_positions == 200);
    chat_reset(&chat);

    settings.context = CONTEXT_STOP;
    say("Hello, you", ANSWER(BYTE('y')));
    console[0] = '\0';
    say("Go on", endless);
    CHECK(console[0] == '\0' && strcmp(generation.end, "context") == 0);
    uint32_t count = chat.conversation.count;
    CHECK(!chat_say(&chat, "And on", &generation, &error));
    CHECK(strstr(error.text, "the model's context 200; /reset begins a new one"));
    CHECK(chat.conversation.count == count);
    settings.context = CONTEXT_SLIDE;
    model.config.context = 40;
    chat_reset(&chat);
    CHECK(!chat_say(&chat, "This text is too long for it", &generation, &error));
    CHECK(strcmp(error.text,
                 "the conversation has 48 tokens with this text, the model's context 40; "
                 "shorten the text") == 0);
    CHECK(chat.conversation.count == 0);
    model.config.context = 1000;
    chat_free(&chat);
}

/* Steps are an answer's, also over a context that slides. */
static void test_steps(void) {
    begin("chatml", "");
    settings.steps = 7;
    say("Hi", endless);
    CHECK(strcmp(generation.end, "steps") == 0 && chat.conversation.turns[0].answer_count == 7);
    settings.steps = 0;
    chat_free(&chat);
}

static void test_failure(void) {
    begin("chatml", "");
    CHECK(!chat_regenerate(&chat, &generation, &error));
    CHECK(strcmp(error.text, "there is no answer yet") == 0);
    say("Hi", ANSWER(BYTE('y')));
    fails = true;
    generation = (struct generation){0};
    CHECK(!chat_say(&chat, "Ho", &generation, &error) &&
          strcmp(error.text, "the disk is full") == 0);
    CHECK(chat.conversation.count == 1);
    CHECK(!chat_regenerate(&chat, &generation, &error));
    CHECK(chat.conversation.turns[0].answer_count == 1);
    fails = false;
    chat_free(&chat);
}

/* What local layers need of the past may be gone. */
static void test_window(void) {
    begin("chatml", "");
    say("Hi", ANSWER(BYTE('y')));
    has = false;
    say("Ho", ANSWER(BYTE('y')));
    CHECK(given_kept == 0);
    has = true;
    say("Ha", ANSWER(BYTE('y')));
    CHECK(given_kept > 0);
    chat_free(&chat);
}

int main(void) {
    chat_tokenizer(&t);
    test_turns();
    test_system();
    test_past_answers();
    test_thoughts();
    test_system_last();
    tokenizer_free(&t); /* a template has changed it */
    chat_tokenizer(&t);
    test_full_context();
    test_steps();
    test_failure();
    test_window();
    tokenizer_free(&t);
    puts("chat: passed");
    return 0;
}
