/* GGUF's hyperparameters. */
#include "gguf_model.h"

/* Limits. Products of three of them and 8 bytes fit into 64 bits. */
#define MAX_DIMENSION (1u << 17)
#define MAX_LAYERS 1024u
#define MAX_CONTEXT (1u << 24)
#define MAX_VOCABULARY (1u << 20)
#define MIN_VOCABULARY 2u

/* To add an architecture: a row, and what is new in model_config and the forward pass. */
static const struct architecture architectures[] = {
    {.name = "llama"},
    {.name = "qwen2", .halves = true, .qkv_bias = true},
    {.name = "qwen3", .halves = true, .qk_norm = true},
    {.name = "gemma3",
     .halves = true,
     .gelu = true,
     .qk_norm = true,
     .post_norms = true,
     .embedding_scaled = true,
     .global_every = 6},
};
#define ARCHITECTURES (sizeof architectures / sizeof *architectures)

static bool find_architecture(const struct gguf *g, const struct architecture **found) {
    char name[32] = "", known[64] = "";
    if (!gguf_string(g, "general.architecture", name, sizeof name))
        return false;
    for (size_t i = 0; i < ARCHITECTURES; i++) {
        if (strcmp(architectures[i].name, name) == 0) {
            *found = &architectures[i];
            return true;
        }
        strcat(strcat(known, " "), architectures[i].name);
    }
    return gguf_error(g, "its architecture is \"%s\"; there are%s", name, known);
}

/* A file and its architecture, whose name is in front of its keys. */
struct source {
    const struct gguf *gguf;
    const struct architecture *architecture;
};

struct key {
    char text[GGUF_MAX_NAME + 1];
};
static struct key key_of(const struct source *s, const char *name) {
    struct key key;
    snprintf(key.text, sizeof key.text, "%s.%s", s->architecture->name, name);
    return key;
}

/* A whole number from 1 to max that has to be there. */
static bool required(const struct source *s, const char *name, uint32_t max, uint32_t *value) {
    struct key key = key_of(s, name);
    if (!gguf_entry(s->gguf, key.text))
        return gguf_error(s->gguf, "it has no %s", key.text);
    return gguf_whole(s->gguf, key.text, 1, max, value);
}

static bool whole(const struct source *s, const char *name, uint32_t max, uint32_t *value) {
    return gguf_whole(s->gguf, key_of(s, name).text, 1, max, value);
}

static bool number(const struct source *s, const char *name, double *value) {
    return gguf_number(s->gguf, key_of(s, name).text, value);
}

/* ln x for x >= 1: the exponent, and the series of artanh for the mantissa. */
static double logarithm(double x) {
    int exponent = 0;
    for (; x > 1.5; x /= 2.0)
        exponent++;
    double ratio = (x - 1.0) / (x + 1.0), power = ratio, sum = 0.0;
    for (int i = 1; i < 40; i += 2, power *= ratio * ratio)
        sum += power / i;
    return 2.0 * sum + exponent * 0.693147180559945309417;
}

static bool read_base(const struct source *s, const char *name, double base, struct rope *rope) {
    if (!number(s, name, &base))
        return false;
    if (base <= 1.0 || base > 1e9)
        return gguf_error(s->gguf, "its %s is not between 1 and 10^9", key_of(s, name).text);
    rope->ln_base = logarithm(base);
    return true;
}

/* RoPE's scaling: none or linear, by the key of today or by that of old files. */
static bool read_scaling(const struct source *s, struct rope *rope) {
    char type[16] = "linear";
    double factor = 0.0;
    if (!gguf_string(s->gguf, key_of(s, "rope.scaling.type").text, type, sizeof type) ||
        !number(s, "rope.scale_linear", &factor) || !number(s, "rope.scaling.factor", &factor))
        return false;
    bool none = strcmp(type, "none") == 0;
    if (!none && strcmp(type, "linear") != 0)
        return gguf_error(s->gguf, "its RoPE is scaled by \"%s\"; there are none and linear", type);
    rope->scale = none || factor == 0.0 ? 1.0 : 1.0 / factor;
    return true;
}

static bool read_rope(const struct source *s, struct model_config *c) {
    struct rope *global = &c->rope[LAYER_GLOBAL], *local = &c->rope[LAYER_LOCAL];
    uint32_t head_size = model_head_size(c);
    c->rope_dims = head_size;
    local->scale = 1.0;
    if (!whole(s, "rope.dimension_count", head_size, &c->rope_dims) ||
        !read_base(s, "rope.freq_base", 10000.0, global) ||
        !read_base(s, "rope.freq_base_swa", 10000.0, local) || !read_scaling(s, global))
        return false;
    return c->rope_dims % 2 == 0 ||
           gguf_error(s->gguf, "its RoPE turns %u dimensions, which are no pairs",
                      (unsigned)c->rope_dims);
}

/* The heads: how many, how large, and that they fit. */
static bool read_heads(const struct source *s, struct model_config *c) {
    uint32_t value_length = 0;
    if (!required(s, "attention.head_count", MAX_DIMENSION, &c->heads))
        return false;
    c->kv_heads = c->heads;
    if (!whole(s, "attention.head_count_kv", MAX_DIMENSION, &c->kv_heads) ||
        !whole(s, "attention.key_length", MAX_DIMENSION, &c->head_size) ||
        !whole(s, "attention.value_length", MAX_DIMENSION, &value_length))
        return false;
    if (c->head_size == 0 && c->dim % c->heads != 0)
        return gguf_error(s->gguf, "its dim is %u, which cannot be divided into %u heads",
                          (unsigned)c->dim, (unsigned)c->heads);
    c->head_size = model_head_size(c);
    if (value_length && value_length != c->head_size)
        return gguf_error(s->gguf,
                          "its keys have %u elements and its values %u; only equal "
                          "lengths are supported",
                          (unsigned)c->head_size, (unsigned)value_length);
    if (c->head_size % 2 != 0 || c->heads % c->kv_heads != 0 ||
        (uint64_t)c->heads * c->head_size > MAX_DIMENSION)
        return gguf_error(s->gguf,
                          "its %u heads of %u elements for %u heads of keys are not "
                          "supported",
                          (unsigned)c->heads, (unsigned)c->head_size, (unsigned)c->kv_heads);
    return true;
}

static bool read_window(const struct source *s, struct model_config *c) {
    c->global_every = s->architecture->global_every;
    return c->global_every == 0 ||
           (whole(s, "attention.sliding_window", MAX_CONTEXT, &c->window) &&
            whole(s, "attention.sliding_window_pattern", MAX_LAYERS, &c->global_every));
}

static bool read_numbers(const struct source *s, struct model_config *c) {
    double epsilon = 1e-5, logit_cap = 0.0, attention_cap = 0.0;
    if (!number(s, "attention.layer_norm_rms_epsilon", &epsilon) ||
        !number(s, "final_logit_softcapping", &logit_cap) ||
        !number(s, "attn_logit_softcapping", &attention_cap))
        return false;
    c->norm_epsilon = (float)epsilon;
    c->logit_cap = (float)logit_cap;
    return attention_cap == 0.0 ||
           gguf_error(s->gguf, "its attention has a soft cap, which is not supported");
}

/* The vocabulary is as large as the embedding. */
static bool read_vocabulary(const struct source *s, struct model_config *c) {
    const struct gguf_tensor *embedding = gguf_tensor(s->gguf, "token_embd.weight");
    if (!embedding)
        return gguf_error(s->gguf, "it has no tensor token_embd.weight");
    if (embedding->rows < MIN_VOCABULARY || embedding->rows > MAX_VOCABULARY)
        return gguf_error(s->gguf, "its vocabulary has %u tokens, not %u to %u",
                          (unsigned)embedding->rows, MIN_VOCABULARY, MAX_VOCABULARY);
    c->vocabulary = embedding->rows;
    c->shared_classifier = !gguf_tensor(s->gguf, "output.weight");
    return true;
}

bool gguf_read_config(const struct gguf *g, const struct architecture **architecture,
                      struct model_config *c) {
    *c = (struct model_config){0};
    if (!find_architecture(g, architecture))
        return false;
    const struct architecture *a = *architecture;
    const struct source s = {g, a};
    if (!required(&s, "embedding_length", MAX_DIMENSION, &c->dim) ||
        !required(&s, "feed_forward_length", MAX_DIMENSION, &c->hidden_dim) ||
        !required(&s, "block_count", MAX_LAYERS, &c->layers) ||
        !required(&s, "context_length", MAX_CONTEXT, &c->context) || !read_heads(&s, c) ||
        !read_rope(&s, c) || !read_window(&s, c) || !read_numbers(&s, c) || !read_vocabulary(&s, c))
        return false;
    c->gelu = a->gelu;
    c->qkv_bias = a->qkv_bias || gguf_tensor(g, "blk.0.attn_q.bias");
    c->qk_norm = a->qk_norm;
    c->post_norms = a->post_norms;
    if (a->embedding_scaled)
        c->embedding_scale = __builtin_sqrtf((float)c->dim);
    return true;
}

bool gguf_read_model(struct model *model, struct gguf *g) {
    const struct architecture *architecture;
    *model = (struct model){0};
    return gguf_read_config(g, &architecture, &model->config) &&
           gguf_read_weights(model, g, architecture);
}
