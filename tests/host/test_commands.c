// sources: tinyllama/dialogue/commands.c tinyllama/settings.c tinyllama/sampler.c
// sources: tinyllama/kv_cache.c
// sources: tinyllama/kernels/elementwise.c kernel_lib/error.c kernel_lib/config/config.c
// sources: kernel_lib/config/unknown_keys.c
// sources: kernel_lib/jit/timers.c kernel_lib/jit/aot/aot.c kernel_lib/jit/aot/functions.c
// sources: kernel_lib/life/made_from.c
// sources: tests/host/console.c
// sources: kernel_lib/io/format.c
/* The dialogue's commands: what a line does, and what is said to a wrong one. */
#include "check.h"
#include "console.h"
#include "kernel_lib/jit_runtime.h"
#include "tinyllama/bench/bench.h"
#include "tinyllama/dialogue/commands.h"
#include "tinyllama/profiling.h"

/* ---- In place of the rest of the program ---- */

static int benches, layers, tables, reboots, resumed;

void files_resume(void) {
    resumed++;
}

bool bench_run(const struct generator *generator, const char *prompt, bool all_widths,
               uint64_t begin, uint64_t initialised, struct error *error) {
    (void)generator, (void)prompt, (void)all_widths, (void)error;
    CHECK(begin == 10 && initialised == 20);
    profiling_enable(false);
    benches++;
    return true;
}

bool profiling_enabled = true;

void profiling_enable(bool enable) {
    profiling_enabled = enable;
}

void profiling_print(void) {
    tables++;
}

void profiling_print_layer(void) {
    layers++;
}

_Noreturn void platform_reboot(void) {
    CHECK(reboots == 1);
    puts("commands: passed");
    exit(0);
}

void fitness_check_model(const char *model) {
    CHECK(model); /* no command notes one */
}

void snapshots_print(void) {
    console_puts("0001.KRN\n");
}

struct memory_usage memory_usage(void) {
    return (struct memory_usage){.total = 4096 * 1024, .used = 3 * 1024, .peak = 5 * 1024};
}

uint64_t generation_rate(const struct generation *generation) {
    return generation->tokens ? 12345 : 0;
}

uint32_t generator_steps(const struct model *model, const struct settings *settings) {
    return settings->steps > model->config.context ? model->config.context : settings->steps;
}

uint64_t generator_seed(const struct settings *from) {
    return from->seed ? from->seed : 4321;
}

static int resets;

void chat_reset(struct chat *chat) {
    CHECK(chat);
    resets++;
}

bool chat_set_system(struct chat *chat, const char *text, struct error *error) {
    CHECK(chat);
    return strcmp(text, "too long") != 0 || error_set(error, "the system text is too long");
}

bool chat_save(const struct chat *chat, const char *name, bool *with_cache, struct error *error) {
    CHECK(chat);
    *with_cache = strcmp(name, "big") != 0;
    return strcmp(name, "full") != 0 || error_set(error, "the disk is full");
}

bool chat_load(struct chat *chat, const char *name, bool *with_cache, struct error *error) {
    CHECK(chat);
    *with_cache = true;
    return strcmp(name, "gone") != 0 || error_set(error, "there is no such file");
}

/* ---- Tests ---- */

/* A layer of one head of 64: 512 bytes a position. */
static struct model model = {
    .config = {.context = 512, .layers = 1, .heads = 1, .kv_heads = 1, .dim = 64}};
static struct inference inference = {.model = &model, .positions = 512};
static struct sampler sampler;
static struct generator generator = {&inference, &sampler, NULL, 256};
static struct settings settings;
static struct dialogue dialogue = {
    .generator = &generator, .settings = &settings, .begin = 10, .initialised = 20};

/* Runs a command after which the dialogue goes on, and checks all that it says. */
static void check_said(const char *line, const char *expected) {
    char copy[200];
    console[0] = '\0';
    CHECK(command_run(&dialogue, strcpy(copy, line)));
    if (strcmp(console, expected) != 0)
        fprintf(stderr, "said: %swant: %s", console, expected);
    CHECK(strcmp(console, expected) == 0);
}

static void test_set(void) {
    check_said("/set temperature 0.5", "");
    CHECK(settings.sampling.temperature == 0.5f && sampler.sampling.temperature == 0.5f);
    check_said("/set   topk   40  ", "");
    check_said("/set topp=.25", "");
    check_said("/set minp = 0.125", "");
    check_said("/set repeat 1.5", "");
    CHECK(sampler.sampling.top_k == 40 && sampler.sampling.top_p == 0.25f);
    CHECK(sampler.sampling.min_p == 0.125f && sampler.sampling.repeat_penalty == 1.5f);
    check_said("/set steps 100", "");
    CHECK(generator.steps == 100);
    check_said("/set steps 5000", "");
    CHECK(generator.steps == 512 && settings.steps == 5000);
    check_said("/set seed 77", "");
    CHECK(sampler.state == 77);
    sampler.state = 1234; /* as after some tokens */
    check_said("/set topk 0", "");
    CHECK(sampler.state == 1234);
    check_said("/set seed 0", "");
    CHECK(sampler.state == 4321);
}

static void test_wrong(void) {
#define THERE_ARE                                                                                  \
    "; there are /help /set /stats /profile /jit /bench /save /export /trim /life /reboot "        \
    "/poweroff "                                                                                   \
    "/exit /quit\n"
    check_said("/", "error: there is no command /" THERE_ARE);
    check_said("/sets", "error: there is no command /sets" THERE_ARE);
    check_said("/HELP me", "error: there is no command /HELP" THERE_ARE);
    check_said("/bench 3", "error: /bench stands alone, without \"3\"\n");
    check_said("/set topk", "error: top_k = : not a whole number from 0 to 4294967295\n");
    check_said("/set topp 7", "error: top_p = 7: not a number like 0.9, from 0 to 1\n");
    check_said("/set topp 0.5 0.6", "error: top_p = 0.5 0.6: not a number like 0.9, from 0 to 1\n");
    check_said("/set tempo 7", "error: there is no setting \"tempo\"; there are steps temperature "
                               "top_k top_p min_p repeat_penalty repeat_last_n seed\n");
    CHECK(benches == 0 && sampler.sampling.top_p == 0.25f);
}

static void test_stats(void) {
    kv_cache_init(&inference.cache, &model.config, KV_F16, 512, 16);
    check_said("/stats", "last text: 0 tokens, 0 of them the prompt's; 0.00 tokens/s\n"
                         "memory: 3 KiB used, at most 5, of 4096\n"
                         "KV cache: 128 KiB, f16, 512 positions\ncycles in a layer: ");
    check_said("/profile", "Nothing has been measured yet: generate a text first.\n");
    CHECK(layers == 1 && tables == 0);
    dialogue.last = (struct generation){.tokens = 64, .prompt_tokens = 5};
    check_said("/stats ", "last text: 64 tokens, 4 of them the prompt's; 123.45 tokens/s\n"
                          "memory: 3 KiB used, at most 5, of 4096\n"
                          "KV cache: 128 KiB, f16, 512 positions\ncycles in a layer: ");
    check_said("/profile", "");
    CHECK(layers == 2 && tables == 1);
}

/* In a variant without a JIT. */
static void test_jit(void) {
    check_said("/jit", "Everything was compiled ahead of time.\n");
    check_said("/save", "There is no JIT: nothing is saved.\n");
    check_said("/save it", "error: /save stands alone, without \"it\"\n");
    CHECK(resumed == 0);
    check_said("/export", "error: This kernel has no compiler that could write another one.\n");
    check_said("/trim", "error: This kernel has no compiler of which it could remove functions.\n");
    check_said("/life", "0001.KRN\n");
    check_said("/jit now", "error: /jit stands alone, without \"now\"\n");
}

static void test_bench(void) {
    struct jit_profile *profile = jit_profile_get("p");
    jit_profile_add(profile, 1);
    check_said("/bench", "");
    CHECK(benches == 1 && profile->times.calls == 0);
    CHECK(profiling_enabled && dialogue.last.tokens == 0);
}

static void test_chat(void) {
    static struct chat chat;
    check_said("/reset", "error: there is no command /reset" THERE_ARE);
    check_said("/system Be kind.", "error: there is no command /system" THERE_ARE);
    dialogue.chat = &chat;
    check_said("/reset", "A new conversation begins.\n");
    check_said("/reset it", "error: /reset stands alone, without \"it\"\n");
    check_said("/system Be kind.", "");
    check_said("/system too long", "error: the system text is too long\n");
    check_said("/system", "There is no system text now.\n");
    CHECK(resets == 1 && !dialogue.regenerate);
    check_said("/save a", "The conversation is saved.\n");
    check_said("/save big",
               "The conversation is saved without its KV cache: /load will read it again.\n");
    check_said("/save full", "error: the disk is full\n");
    check_said("/load a", "A conversation of 0 turns goes on.\n");
    check_said("/load gone", "error: there is no such file\n");
    CHECK(resumed == 3);
    check_said("/regenerate", "");
    CHECK(dialogue.regenerate);
    console[0] = '\0';
    CHECK(command_run(&dialogue, (char[]){"/help"}));
    CHECK(strstr(console, "\n/system ") && strstr(console, "said to the model"));
    dialogue.chat = NULL;
}

int main(void) {
    struct error error;
    CHECK(settings_read(&settings, &error));
    CHECK(sampler_init(&sampler, 5, &settings.sampling, 1, &error));
    test_set();
    test_wrong();
    test_stats();
    test_jit();
    test_bench();
    test_chat();
    console[0] = '\0';
    CHECK(command_run(&dialogue, (char[]){"/help"}));
    CHECK(strstr(console, "\n/set ") && strstr(console, "\n/poweroff "));
    CHECK(!command_run(&dialogue, (char[]){"/poweroff"}));
    CHECK(!command_run(&dialogue, (char[]){"/exit"}));
    CHECK(!command_run(&dialogue, (char[]){"/quit "}));
    sampler_free(&sampler);
    reboots = 1;
    command_run(&dialogue, (char[]){"/reboot"}); /* ends the program */
    return 1;
}
