/* The application: loads the model and does what the configuration asks for. */
#include "kernel_lib/crc32.h"
#include "kernel_lib/jit_runtime.h"
#include "optimization.h"
#include "perplexity.h"
#include "tinyllama/bench/bench.h"
#include "tinyllama/dialogue/interactive.h"
#include "tinyllama/formats/checkpoint.h"
#include "tinyllama/formats/gguf_model.h"
#include "tinyllama/formats/gguf_tokenizer.h"

#define DEFAULT_TOKENIZER "/model/tokenizer.bin"

/* Everything that is loaded. */
struct application {
    struct settings settings;
    struct model model;
    struct tokenizer tokenizer;
    struct inference inference;
    struct sampler sampler;
    struct generator generator;
    uint32_t model_id;      /* see identify() */
    char *template_program; /* the chat template in the model's file, in Jinja, or NULL */
    struct chat chat;
};

static struct file *open_file(const char *path, const char *key, struct error *error) {
    if (!files_ready(error))
        return NULL; /* another file would be no better */
    struct error reason;
    struct file *file = file_open(path, &reason);
    if (!file)
        error_set(error, "%s Set %s = FILE to name another.", reason.text, key);
    return file;
}

/* A GGUF file has a tokenizer, too: it is read unless another one is asked for. */
static bool read_gguf(struct application *app, struct file *file, const char *path,
                      struct error *error) {
    struct gguf gguf;
    if (!gguf_open(&gguf, file, path, error))
        return false;
    bool good = gguf_read_model(&app->model, &gguf);
    if (good && !app->settings.tokenizer) {
        if (gguf_has_tokenizer(&gguf))
            good = gguf_read_tokenizer(&app->tokenizer, &gguf, app->model.config.vocabulary);
        else
            app->settings.tokenizer = DEFAULT_TOKENIZER;
    }
    good = good && gguf_read_chat_template(&gguf, &app->template_program);
    gguf_close(&gguf);
    return good;
}

/* The hyperparameters that sizes of loops and matrices depend on. */
static void note_model(const struct model_config *c) {
    char text[121];
    snprintf(text, sizeof text,
             "dim=%u,hidden=%u,layers=%u,heads=%u/%u,head_size=%u,vocabulary=%u,group=%u", c->dim,
             c->hidden_dim, c->layers, c->heads, c->kv_heads, model_head_size(c), c->vocabulary,
             c->group);
    jit_note_model(text);
}

static bool read_checkpoint(struct application *app, struct file *file, const char *path,
                            struct error *error) {
    if (!app->settings.tokenizer)
        app->settings.tokenizer = DEFAULT_TOKENIZER;
    return checkpoint_read(&app->model, file, path, error);
}

static void report_model(uint64_t bytes, uint64_t cycles) {
    uint64_t us = cycles * 1000 / (cpu_cycles_per_second() / 1000);
    console_event("{\"event\":\"model\",\"bytes\":%llu,\"us\":%llu}", (unsigned long long)bytes,
                  (unsigned long long)us);
}

/* A number that tells models' files apart: a checksum of their size, beginning and end. */
static bool identify(struct file *file, uint32_t *id, struct error *error) {
    char part[4096];
    uint64_t size = file_size(file);
    size_t length = size < sizeof part ? (size_t)size : sizeof part;
    *id = crc32_update(0, &size, sizeof size);
    for (uint64_t at = 0;; at = size - length) {
        if (!file_read(file, at, part, length, error))
            return false;
        *id = crc32_update(*id, part, length);
        if (at == size - length)
            return true;
    }
}

static bool load_model(struct application *app, struct error *error) {
    const char *path = app->settings.model;
    struct file *file = open_file(path, "model", error);
    if (!file)
        return false;
    uint64_t begin = cpu_rdtsc(), bytes = file_size(file);
    bool good = (gguf_recognise(file) ? read_gguf : read_checkpoint)(app, file, path, error);
    good = good && identify(file, &app->model_id, error);
    if (good)
        report_model(bytes, cpu_rdtsc() - begin);
    file_close(file);
    if (good && app->model.config.context > app->settings.positions)
        app->model.config.context = app->settings.positions;
    if (good)
        note_model(&app->model.config);
    return good;
}

static bool load_tokenizer(struct application *app, struct error *error) {
    const char *path = app->settings.tokenizer;
    if (!path)
        return true; /* it was in the model's file */
    struct file *file = open_file(path, "tokenizer", error);
    if (!file)
        return false;
    bool good = tokenizer_read(&app->tokenizer, file, path, app->model.config.vocabulary, error);
    file_close(file);
    return good;
}

static void report_cache(const struct inference *in) {
    console_event("{\"event\":\"kv_cache\",\"type\":\"%s\",\"positions\":%u,\"bytes\":%zu}",
                  kv_type_names[in->cache.type], (unsigned)in->positions,
                  kv_cache_bytes(&in->cache));
}

static bool load(struct application *app, struct error *error) {
    struct settings *settings = &app->settings;
    if (!settings_read(settings, error) || !load_model(app, error) || !load_tokenizer(app, error))
        return false;
    uint32_t steps = generator_steps(&app->model, settings);
    /* In the dialogue steps may be raised later. */
    bool whole =
        settings->mode < MODE_GENERATE || settings->chat || settings->mode == MODE_PERPLEXITY;
    uint32_t positions = whole ? app->model.config.context : steps;
    app->generator = (struct generator){&app->inference, &app->sampler, &app->tokenizer, steps};
    enum kv_type kv = settings->kv < KV_TYPES ? settings->kv : kv_type_for(&app->model);
    if (!inference_init(&app->inference, &app->model, &kernels_sse2, positions, kv, error))
        return false;
    report_cache(&app->inference);
    return optimization_choose(&app->inference, settings->vector, error) &&
           sampler_init(&app->sampler, app->model.config.vocabulary, &settings->sampling,
                        generator_seed(settings), error);
}

/* Finds the chat template, if there is to be a chat. In MODE_AUTO a template that cannot be used is
 * said to be so, and prompts are texts. */
static bool begin_chat(struct application *app, struct error *error) {
    struct settings *settings = &app->settings;
    bool automatic = settings->mode == MODE_AUTO, named = strcmp(settings->chat_template, "auto");
    bool wanted =
        settings->mode == MODE_CHAT || (settings->mode == MODE_GENERATE && settings->chat);
    struct chat_template texts;
    if (automatic)
        settings->mode = MODE_INTERACTIVE;
    if (!wanted && !(automatic && (named || app->template_program)))
        return true;
    if (!named && !app->template_program)
        return error_set(error, "the model has no chat template; set template = a family's name");
    if (!(named ? chat_template_named(&texts, settings->chat_template, error)
                : chat_template_find(&texts, app->template_program, error))) {
        if (!automatic || named)
            return false;
        console_printf("%s. Lines are continued as plain text.\n", error->text);
        return true;
    }
    if (automatic)
        settings->mode = MODE_CHAT;
    return chat_init(&app->chat, &texts, &app->tokenizer, &app->generator, settings, app->model_id,
                     error);
}

static bool run(struct application *app, uint64_t begin, struct error *error) {
    struct settings *settings = &app->settings;
    uint64_t initialised = cpu_rdtsc();
    if (!begin_chat(app, error))
        return false;
    switch (settings->mode) {
    case MODE_AUTO:
    case MODE_CHAT:
    case MODE_INTERACTIVE: {
        static struct dialogue dialogue;
        struct chat *chat = settings->mode == MODE_CHAT ? &app->chat : NULL;
        dialogue =
            (struct dialogue){&app->generator, chat, settings, begin, initialised, {0}, false};
        interactive_run(&dialogue);
        return true;
    }
    case MODE_BENCH: {
        /* Under emulation only the widths asked for (optimization.h). */
        bool all_widths = strcmp(settings->vector, "auto") == 0 && !cpu_features()->tcg;
        return bench_run(&app->generator, settings->prompt, all_widths, begin, initialised, error);
    }
    case MODE_PERPLEXITY:
        return perplexity_measure(&app->inference, &app->tokenizer, app->model.config.context,
                                  settings->text, error);
    case MODE_GENERATE:
        break;
    }
    struct generation generation = {
        .prompt = settings->prompt,
        .prompt_ids = settings->prompt_ids,
        .ids = settings->ids,
        .logits = settings->logits,
        .begin = begin,
    };
    return settings->chat ? chat_say(&app->chat, settings->prompt, &generation, error)
                          : generate(&app->generator, &generation, error);
}

int app_main(void) {
    static struct application app;
    uint64_t begin = cpu_rdtsc();
    struct error error;
    bool good = load(&app, &error) && run(&app, begin, &error);
    if (!good)
        console_printf("error: %s\n", error.text);
    chat_free(&app.chat);
    free(app.template_program);
    sampler_free(&app.sampler);
    inference_free(&app.inference);
    tokenizer_free(&app.tokenizer);
    model_free(&app.model);
    return good ? 0 : 1;
}
