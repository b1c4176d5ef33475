/* Perplexity. */
#include "perplexity.h"
#include "natural.h"
#include "tinyllama/kernels/elementwise.h"
#include "tinyllama/whole_file.h"
#include <math.h>
#include <stdarg.h>

#define LN_2 0.69314718055994530942
#define LARGEST_EXPONENT 20.0 /* natural.h */
#define MAX_LINE 256

struct measurement {
    struct inference *inference;
    const struct tokenizer *tokenizer;
    uint32_t window;
    double sum, squares; /* of -ln p(token) */
    uint64_t tokens;     /* that were counted */
    uint64_t characters; /* of their text */
};

/* A line of the result. */
__attribute__((format(printf, 1, 2))) static void print(const char *format, ...) {
    char line[MAX_LINE];
    va_list values;
    va_start(values, format);
    console_text(line, error_format(line, sizeof line, format, values));
    va_end(values);
}

/* The whole file as a string; NULL and *error if that cannot be. */
static char *read_text(const char *path, struct error *error) {
    size_t size;
    char *text = whole_file(path, &size, error);
    if (text && strlen(text) != size) {
        error_set(error, "%s: it has a byte 0: it is no text", path);
        free(text);
        text = NULL;
    }
    return text;
}

/* Characters that begin in the text of token. */
static uint32_t characters_of(const struct tokenizer *tokenizer, uint32_t previous,
                              uint32_t token) {
    size_t length;
    const char *text = tokenizer_decode(tokenizer, previous, token, &length);
    uint32_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

static bool count_token(struct measurement *m, uint32_t previous, uint32_t token,
                        struct error *error) {
    const float *logits = m->inference->logits;
    uint32_t vocabulary = m->inference->model->config.vocabulary;
    if (any_nan(logits, vocabulary))
        return error_set(error, "the model's logits are NaN: its file is damaged, or was not "
                                "trained or exported well");
    double surprise = log_sum_exp(logits, vocabulary) - (double)logits[token];
    m->sum += surprise;
    m->squares += surprise * surprise;
    m->tokens++;
    m->characters += characters_of(m->tokenizer, previous, token);
    return true;
}

static bool measure_window(struct measurement *m, uint32_t *tokens, struct error *error) {
    struct inference *in = m->inference;
    uint32_t first = m->window / 2, begun = tokens[0];
    if (m->tokenizer->add_bos)
        tokens[0] = m->tokenizer->bos;
    for (uint32_t position = 0, count; position < m->window; position += count) {
        count = m->window - position < in->batch ? m->window - position : in->batch;
        inference_forward(in, tokens + position, count, position);
        for (uint32_t i = 0; i < count && position + i + 1 < m->window; i++) {
            if (position + i < first)
                continue;
            const uint32_t *at = tokens + position + i;
            inference_classify(in, i);
            if (!count_token(m, at[0], at[1], error))
                return false;
        }
    }
    tokens[0] = begun;
    return true;
}

/* Rounded to 4 decimal places. */
struct decimal {
    unsigned long long whole;
    unsigned parts;
};
static struct decimal decimal(double x) {
    unsigned long long scaled = (unsigned long long)(x * 1e4 + 0.5);
    return (struct decimal){scaled / 10000, (unsigned)(scaled % 10000)};
}

static double perplexity_of(const struct measurement *m) {
    double mean = m->sum / (double)m->tokens;
    return exponential(mean < LARGEST_EXPONENT ? mean : LARGEST_EXPONENT);
}

/* The standard error of the perplexity. */
static double error_of(const struct measurement *m) {
    double count = (double)m->tokens, mean = m->sum / count;
    double variance = m->squares / count - mean * mean;
    return variance > 0.0 && m->tokens > 1 ? sqrt(variance / (count - 1.0)) * perplexity_of(m)
                                           : 0.0;
}

static void report(const struct measurement *m, uint32_t windows) {
    struct decimal perplexity = decimal(perplexity_of(m)), deviation = decimal(error_of(m));
    struct decimal bits = decimal(m->characters ? m->sum / LN_2 / (double)m->characters : 0.0);
    print("perplexity %llu.%04u +- %llu.%04u, %llu.%04u bits per character: %llu tokens in %u "
          "windows of %u", /* the end of the text ends the line */
          perplexity.whole, perplexity.parts, deviation.whole, deviation.parts, bits.whole,
          bits.parts, (unsigned long long)m->tokens, (unsigned)windows, (unsigned)m->window);
    console_text_end();
    console_event("{\"event\":\"perplexity\",\"perplexity\":%llu.%04u,\"error\":%llu.%04u,"
                  "\"bits_per_character\":%llu.%04u,\"tokens\":%llu,\"characters\":%llu,"
                  "\"windows\":%u,\"window\":%u}",
                  perplexity.whole, perplexity.parts, deviation.whole, deviation.parts, bits.whole,
                  bits.parts, (unsigned long long)m->tokens, (unsigned long long)m->characters,
                  (unsigned)windows, (unsigned)m->window);
}

static bool measure_tokens(struct measurement *m, uint32_t *tokens, size_t count, const char *path,
                           struct error *error) {
    if (count < 2 * (size_t)m->window)
        return error_set(error, "%s: it has %zu tokens, which is less than two windows of %u", path,
                         count, (unsigned)m->window);
    uint32_t windows = (uint32_t)(count / m->window);
    console_text_begin();
    for (uint32_t i = 0; i < windows; i++) {
        if (!measure_window(m, tokens + (size_t)i * m->window, error)) {
            console_text_end();
            return false;
        }
        struct decimal perplexity = decimal(perplexity_of(m));
        print("window %u of %u: %llu.%04u\n", (unsigned)i + 1, (unsigned)windows, perplexity.whole,
              perplexity.parts);
    }
    report(m, windows);
    return true;
}

bool perplexity_measure(struct inference *inference, const struct tokenizer *tokenizer,
                        uint32_t window, const char *path, struct error *error) {
    if (!path)
        return error_set(error, "mode = perplexity wants text = FILE");
    if (window < 4)
        return error_set(error, "a window of %u positions is too short for perplexity: at least 4",
                         (unsigned)window);
    char *text = read_text(path, error);
    if (!text)
        return false;
    struct measurement m = {.inference = inference, .tokenizer = tokenizer, .window = window};
    uint32_t *tokens = malloc(tokenizer_max_tokens(strlen(text)) * sizeof *tokens);
    size_t count = tokens ? tokenizer_encode(tokenizer, text, tokens, error)
                          : error_set(error, "%s: no memory for its tokens", path);
    free(text);
    bool good = count > 0 && measure_tokens(&m, tokens, count, path, error);
    free(tokens);
    return good;
}
