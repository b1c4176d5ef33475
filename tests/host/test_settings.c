// sources: tinyllama/settings.c kernel_lib/config/config.c kernel_lib/config/parse.c
// sources: tinyllama/kv_cache.c
// sources: kernel_lib/config/unknown_keys.c kernel_lib/error.c tests/host/console.c
// sources: kernel_lib/io/format.c
/* The application's settings: defaults, values, messages. */
#include "check.h"
#include "console.h"
#include "kernel_lib/config/config.h"
#include "tinyllama/settings.h"
#include <math.h>

static void fail(void *context, unsigned line, const char *message) {
    (void)context;
    fprintf(stderr, "line %u: %s\n", line, message);
    abort();
}

static bool read_text(struct settings *settings, const char *text, struct error *error) {
    console[0] = '\0';
    config_clear();
    config_parse(text, strlen(text), fail, NULL);
    config_get("disk"); /* as the kernel does */
    return settings_read(settings, error);
}

static void test_defaults(void) {
    struct settings s;
    struct error error;
    CHECK(read_text(&s, "", &error));
    CHECK(s.mode == MODE_AUTO && s.steps == 256 && s.seed == 0);
    CHECK(s.sampling.temperature == 0.7f && s.sampling.top_p == 0.9f &&
          strcmp(s.vector, "auto") == 0);
    CHECK(strcmp(s.model, "/model/model.bin") == 0 && strcmp(s.prompt, "") == 0);
    CHECK(!s.tokenizer && s.positions == 4096 && !s.ids && !s.logits && s.kv == KV_TYPES);
    CHECK(s.sampling.top_k == 0 && s.sampling.min_p == 0.0f && s.sampling.repeat_penalty == 1.0f);
    CHECK(s.chat == 0 && strcmp(s.system, "") == 0 && strcmp(s.chat_template, "auto") == 0);
    CHECK(s.context == CONTEXT_SLIDE);
    CHECK(console[0] == '\0');
}

static void test_values(void) {
    struct settings s;
    struct error error;
    CHECK(read_text(&s,
                    "mode = bench\nsteps = 0\nseed = 18446744073709551615\ntemperature = .7\n"
                    "topp = 1.\nprompt = \"a b\"\nmodel = /m\ntokenizer = /t\nids = /i\n"
                    "logits = /l\nvector = avx2\ndisk = pio\nkv = q8\n",
                    &error));
    CHECK(s.mode == MODE_BENCH && s.steps == 0 && s.seed == UINT64_MAX);
    CHECK(s.sampling.temperature == 0.7f && s.sampling.top_p == 1.0f &&
          strcmp(s.prompt, "a b") == 0);
    CHECK(strcmp(s.model, "/m") == 0 && strcmp(s.tokenizer, "/t") == 0);
    CHECK(strcmp(s.ids, "/i") == 0 && strcmp(s.logits, "/l") == 0);
    CHECK(strcmp(s.vector, "avx2") == 0 && s.kv == KV_Q8 && console[0] == '\0');
    CHECK(read_text(&s, "temperature = 0\ntopp = 0.12345678901234\nmode = generate", &error));
    CHECK(s.sampling.temperature == 0.0f && s.sampling.top_p == 0.12345678901234f &&
          s.mode == MODE_GENERATE);
    CHECK(read_text(&s, "top_k = 40\nmin_p = 0.05\nrepeat_penalty = 1.25\nrepeat_last_n = 9\n",
                    &error));
    CHECK(s.sampling.top_k == 40 && s.sampling.min_p == 0.05f && s.sampling.repeat_last_n == 9);
    /* Their older names. */
    CHECK(read_text(&s, "topk = 40\nminp = 0.05\nrepeat = 1.25\n", &error));
    CHECK(s.sampling.top_k == 40 && s.sampling.min_p == 0.05f &&
          s.sampling.repeat_penalty == 1.25f);
    CHECK(read_text(&s,
                    "mode = chat\nchat = 1\nsystem = \"Be kind.\"\ntemplate = gemma\n"
                    "context = stop\n",
                    &error));
    CHECK(s.mode == MODE_CHAT && s.chat == 1 && strcmp(s.system, "Be kind.") == 0);
    CHECK(strcmp(s.chat_template, "gemma") == 0 && s.context == CONTEXT_STOP);
    CHECK(read_text(&s, "temperature = 100\n", &error) && s.sampling.temperature == 100.0f);
}

/* As Python, JSON and people write them. The right values are the C library's. */
static void test_decimals(void) {
    static const char *const texts[] = {
        "0.30000000000000004",
        "1e-05",
        "1E-5",
        "1.5e+01",
        "0.1e1",
        "100e-2",
        ".5e0",
        "5.e-1",
        "0.0000000000000000000001e22",
        "0.1234567890123456",
        "0.999999999999999999999999",
        "0.69999999999999995559107901499373838305473327636718750",
        "000000000000000000000000000000.9",
        "10000000000000000000000e-22",
        "1e-30",
        "0e99999999999999999999",
        "0.0",
        "1e-99999999999999999999",
    };
    struct settings s;
    struct error error;
    CHECK(read_text(&s, "", &error));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK(settings_set(&s, "temperature", texts[i], &error));
        CHECK(s.sampling.temperature == strtof(texts[i], NULL));
    }
    srand(1);
    for (int i = 0; i < 100000; i++) {
        static const char *const formats[] = {"%.17g", "%.9g", "%g", "%.3e", "%.30f"};
        char text[64];
        /* 31 bits: not 2^-31 near to half-way between two floats, where more digits would count. */
        double value = ldexp(rand() | 1 << 30 | 1, -31 - rand() % 20);
        snprintf(text, sizeof text, formats[i % 5], value);
        CHECK(settings_set(&s, "temperature", text, &error));
        CHECK(s.sampling.temperature == strtof(text, NULL));
    }
}

static void test_wrong_values(void) {
    static const char *const cases[][2] = {
        {"kv = f64", "kv = f64: there are auto, f32, f16 and q8"},
        {"context = turn", "context = turn: there are slide and stop"},
        {"chat = 2", "chat = 2: not a whole number from 0 to 1"},
        {"mode = fast",
         "mode = fast: there are auto, interactive, chat, generate, bench and perplexity"},
        {"steps = -1", "steps = -1: not a whole number from 0 to 4294967295"},
        {"steps = 4294967296", "steps = 4294967296: not a whole number from 0 to 4294967295"},
        {"steps = 1x", "steps = 1x: not a whole number from 0 to 4294967295"},
        {"steps =", "steps = : not a whole number from 0 to 4294967295"},
        {"seed = 18446744073709551616",
         "seed = 18446744073709551616: not a whole number from 0 to 18446744073709551615"},
        {"temperature = -1", "temperature = -1: not a number like 0.9, from 0 to 100"},
        {"temperature = 100.1", "temperature = 100.1: not a number like 0.9, from 0 to 100"},
        {"temperature = nan", "temperature = nan: not a number like 0.9, from 0 to 100"},
        {"temperature = 1e", "temperature = 1e: not a number like 0.9, from 0 to 100"},
        {"temperature = 1e-", "temperature = 1e-: not a number like 0.9, from 0 to 100"},
        {"temperature = e1", "temperature = e1: not a number like 0.9, from 0 to 100"},
        {"temperature = 1e1.5", "temperature = 1e1.5: not a number like 0.9, from 0 to 100"},
        {"temperature = 1e3", "temperature = 1e3: not a number like 0.9, from 0 to 100"},
        {"temperature = 1e400", "temperature = 1e400: not a number like 0.9, from 0 to 100"},
        {"temperature = 0,9", "temperature = 0,9: not a number like 0.9, from 0 to 100"},
        {"temperature = .", "temperature = .: not a number like 0.9, from 0 to 100"},
        {"topp = 0.5.5", "top_p = 0.5.5: not a number like 0.9, from 0 to 1"},
        {"topk = 1.5", "top_k = 1.5: not a whole number from 0 to 4294967295"},
        {"minp = 2", "min_p = 2: not a number like 0.9, from 0 to 1"},
        {"repeat = 0.5", "repeat_penalty = 0.5: not a number like 1.1, from 1 to 10"},
        {"repeat = 11", "repeat_penalty = 11: not a number like 1.1, from 1 to 10"},
        {"topp = 1.01", "top_p = 1.01: not a number like 0.9, from 0 to 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings s;
        struct error error;
        CHECK(!read_text(&s, cases[i][0], &error));
        if (strcmp(error.text, cases[i][1]) != 0)
            fprintf(stderr, "said: %s\nwant: %s\n", error.text, cases[i][1]);
        CHECK(strcmp(error.text, cases[i][1]) == 0);
    }
}

static void test_unknown_keys(void) {
    struct settings s;
    struct error error;
    CHECK(read_text(&s, "promt = x\nsteps = 3\nStep = 4\n", &error));
    CHECK(s.steps == 3);
    CHECK(strstr(console, "warning: unknown setting \"promt\"; there are chat context disk "));
    CHECK(strstr(console, "warning: unknown setting \"Step\"; there are "));

    char text[1000] = "";
    for (int i = 0; i < 30; i++)
        sprintf(text + strlen(text), "key%02d = 1\n", i);
    console[0] = '\0';
    CHECK(read_text(&s, text, &error));
    CHECK(strstr(console, "\"key09\"") && !strstr(console, "\"key10\""));
    CHECK(strstr(console, "\nwarning: and 20 more unknown settings\n"));
    console[0] = '\0';
}

static void test_set(void) {
    struct settings s, before;
    struct error error;
    CHECK(read_text(&s, "", &error));
    CHECK(settings_set(&s, "temperature", "0.75", &error) && s.sampling.temperature == 0.75f);
    CHECK(settings_set(&s, "seed", "18446744073709551615", &error) && s.seed == UINT64_MAX);
    CHECK(settings_set(&s, "steps", "12", &error) && s.steps == 12);
    before = s;
    CHECK(!settings_set(&s, "topk", "many", &error));
    CHECK(strcmp(error.text, "top_k = many: not a whole number from 0 to 4294967295") == 0);
    CHECK(!settings_set(&s, "model", "x", &error));
    CHECK(strcmp(error.text,
                 "there is no setting \"model\"; there are steps temperature top_k top_p "
                 "min_p repeat_penalty repeat_last_n seed") == 0);
    CHECK(memcmp(&s, &before, sizeof s) == 0);
    /* However long the key, the message says what there is. */
    char key[1000];
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    CHECK(!settings_set(&s, key, "1", &error) && strstr(error.text, "k\"; there are steps "));
    CHECK(strcmp(error.text + strlen(error.text) - 5, " seed") == 0);
}

static void test_print(void) {
    static const char *const lines[] = {
        "steps          12 ",  "temperature    0.75 ",
        "top_k          7 ",   "top_p          0.9 ",
        "min_p          0.0 ", "repeat_penalty 1.1 ",
        "repeat_last_n  64 ",  "seed           18446744073709551615 "};
    struct settings s;
    struct error error;
    CHECK(read_text(&s,
                    "steps = 12\ntemperature = .75\ntopk = 7\nrepeat = 1.1\n"
                    "seed = 18446744073709551615",
                    &error));
    settings_print(&s);
    const char *at = console;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        CHECK(strncmp(at, lines[i], strlen(lines[i])) == 0);
        at = strchr(at, '\n') + 1;
    }
    CHECK(*at == '\0');

    static const char *const small[][2] = {{"1e-05", "0.00001 "},
                                           {"0.0099", "0.0099 "},
                                           {"0.01", "0.01 "},
                                           {"0.0050505", "0.0050505 "}};
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        CHECK(settings_set(&s, "minp", small[i][0], &error));
        console[0] = '\0';
        settings_print(&s);
        CHECK(strstr(strstr(console, "\nmin_p "), small[i][1]));
    }
}

int main(void) {
    test_defaults();
    test_values();
    test_decimals();
    test_wrong_values();
    test_unknown_keys();
    test_set();
    test_print();
    config_clear();
    puts("settings: passed");
}
