/* Choosing the next token. */
#include "sampler.h"
#include "tinyllama/kernels/elementwise.h"
#include <math.h>

bool sampler_init(struct sampler *sampler, uint32_t vocabulary, const struct sampling *sampling,
                  uint64_t seed, struct error *error) {
    *sampler = (struct sampler){
        .sampling = *sampling,
        .vocabulary = vocabulary,
        .state = seed,
        .candidates = malloc(vocabulary * sizeof(struct candidate)),
        .logits = malloc(vocabulary * sizeof(float)),
        .seen = calloc(vocabulary, sizeof(uint32_t)),
    };
    return (sampler->candidates && sampler->logits && sampler->seen) ||
           error_set(error, "no memory for the sampler");
}

void sampler_free(struct sampler *sampler) {
    free(sampler->candidates);
    free(sampler->logits);
    free(sampler->seen);
    *sampler = (struct sampler){0};
}

void sampler_begin(struct sampler *sampler, const uint32_t *tokens, uint32_t count) {
    memset(sampler->seen, 0, sampler->vocabulary * sizeof *sampler->seen);
    for (sampler->length = 0; sampler->length < count; sampler->length++)
        sampler->seen[tokens[sampler->length]] = sampler->length + 1;
}

static void penalise_repetition(const struct sampler *sampler, float *logits) {
    float penalty = sampler->sampling.repeat_penalty;
    uint32_t last_n = sampler->sampling.repeat_last_n;
    for (uint32_t i = 0; i < sampler->vocabulary; i++)
        if (sampler->seen[i] && sampler->length - sampler->seen[i] < last_n)
            logits[i] = logits[i] > 0.0f ? logits[i] / penalty : logits[i] * penalty;
}

/* A random number in [0, 1) of 24 bits (xorshift64*, Vigna, 2016). */
static float random_float(struct sampler *sampler) {
    sampler->state ^= sampler->state >> 12;
    sampler->state ^= sampler->state << 25;
    sampler->state ^= sampler->state >> 27;
    uint32_t bits = (uint32_t)(sampler->state * 0x2545F4914F6CDD1Dull >> 32);
    return (float)(bits >> 8) / 16777216.0f;
}

static uint32_t sample_all(const float *probabilities, uint32_t count, float coin) {
    float sum = 0.0f;
    for (uint32_t i = 0; i < count; i++) {
        sum += probabilities[i];
        if (coin < sum)
            return i;
    }
    return count - 1; /* rounding */
}

/* By descending probability, then by token: every qsort then gives the same order. */
static int compare_candidates(const void *left, const void *right) {
    const struct candidate *a = left, *b = right;
    if (a->probability != b->probability)
        return a->probability > b->probability ? -1 : 1;
    return (a->token > b->token) - (a->token < b->token);
}

/* Restores the heap, whose root is the least likely candidate, after the one at place at was
 * exchanged. */
static void sift_down(struct candidate *heap, uint32_t count, uint32_t at) {
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            if (compare_candidates(&heap[child], &heap[least]) > 0)
                least = child;
        if (least == at)
            return;
        struct candidate moved = heap[at];
        heap[at] = heap[least];
        heap[least] = moved;
        at = least;
    }
}

/* Moves the k likeliest of count candidates to the front. With a heap: to sort a whole vocabulary
 * takes longer than a step of a small model. */
static void select_likeliest(struct candidate *candidates, uint32_t count, uint32_t k) {
    for (uint32_t i = k / 2; i-- > 0;)
        sift_down(candidates, k, i);
    for (uint32_t i = k; i < count; i++)
        if (compare_candidates(&candidates[i], &candidates[0]) < 0) {
            candidates[0] = candidates[i];
            sift_down(candidates, k, 0);
        }
}

/* Collects the candidates, and returns their number. Without top-k, tokens that are too unlikely
 * for the nucleus or for min-p are left out at once. */
static uint32_t gather(struct sampler *sampler, const float *probabilities, bool nucleus) {
    const struct sampling *s = &sampler->sampling;
    uint32_t vocabulary = sampler->vocabulary, count = 0;
    float cutoff = 0.0f;
    if (s->top_k == 0) {
        /* Every token of a nucleus is at least as likely as this. */
        if (nucleus)
            cutoff = (1.0f - s->top_p) / (float)(vocabulary - 1);
        if (s->min_p > 0.0f)
            for (uint32_t i = 0; i < vocabulary; i++)
                if (s->min_p * probabilities[i] > cutoff)
                    cutoff = s->min_p * probabilities[i];
    }
    for (uint32_t i = 0; i < vocabulary; i++)
        if (probabilities[i] >= cutoff)
            sampler->candidates[count++] = (struct candidate){probabilities[i], i};
    return count;
}

/* How many of the sorted candidates the nucleus and min-p leave, of which all have the probability
 * total together: at least one. */
static uint32_t cut(const struct sampling *s, const struct candidate *candidates, uint32_t count,
                    float total, bool nucleus) {
    float limit = nucleus ? s->top_p * total : INFINITY, kept = 0.0f;
    float least = s->min_p * candidates[0].probability;
    uint32_t left = 0;
    for (; left < count && kept <= limit && candidates[left].probability >= least; left++)
        kept += candidates[left].probability;
    return left ? left : 1;
}

static uint32_t sample_limited(struct sampler *sampler, float *logits, bool nucleus) {
    const struct sampling *s = &sampler->sampling;
    struct candidate *candidates = sampler->candidates;
    memcpy(sampler->logits, logits, sampler->vocabulary * sizeof *logits);
    softmax(logits, sampler->vocabulary, 1.0f);
    float coin = random_float(sampler), total = 1.0f;
    uint32_t count = gather(sampler, logits, nucleus);
    if (count == 0) /* the probabilities are no numbers */
        return 0;
    if (s->top_k > 0 && s->top_k < count) {
        select_likeliest(candidates, count, s->top_k);
        count = s->top_k;
        total = 0.0f;
        for (uint32_t i = 0; i < count; i++)
            total += candidates[i].probability;
    }
    qsort(candidates, count, sizeof *candidates, compare_candidates);
    count = cut(s, candidates, count, total, nucleus);
    for (uint32_t i = 0; i < count; i++)
        logits[i] = sampler->logits[candidates[i].token];
    softmax(logits, count, s->temperature);
    return candidates[sample_all(logits, count, coin)].token;
}

static uint32_t choose(struct sampler *sampler, float *logits) {
    const struct sampling *s = &sampler->sampling;
    if (s->repeat_penalty != 1.0f)
        penalise_repetition(sampler, logits);
    if (s->temperature == 0.0f)
        return argmax(logits, sampler->vocabulary);
    bool nucleus = s->top_p > 0.0f && s->top_p < 1.0f;
    if (nucleus || s->top_k > 0 || s->min_p > 0.0f)
        return sample_limited(sampler, logits, nucleus);
    softmax(logits, sampler->vocabulary, s->temperature);
    return sample_all(logits, sampler->vocabulary, random_float(sampler));
}

uint32_t sampler_sample(struct sampler *sampler, float *logits) {
    if (any_nan(logits, sampler->vocabulary))
        return SAMPLER_NO_TOKEN;
    uint32_t token = choose(sampler, logits);
    sampler->seen[token] = ++sampler->length;
    return token;
}
