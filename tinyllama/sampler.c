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
        .present = calloc(vocabulary, sizeof(bool)),
    };
    return (sampler->candidates && sampler->present) ||
           error_set(error, "no memory for the sampler");
}

void sampler_free(struct sampler *sampler) {
    free(sampler->candidates);
    free(sampler->present);
    *sampler = (struct sampler){0};
}

void sampler_begin(struct sampler *sampler, const uint32_t *tokens, uint32_t count) {
    memset(sampler->present, 0, sampler->vocabulary * sizeof(bool));
    for (uint32_t i = 0; i < count; i++)
        sampler->present[tokens[i]] = true;
}

static void penalise_repetition(const struct sampler *sampler, float *logits) {
    float repeat = sampler->sampling.repeat;
    for (uint32_t i = 0; i < sampler->vocabulary; i++)
        if (sampler->present[i])
            logits[i] = logits[i] > 0.0f ? logits[i] / repeat : logits[i] * repeat;
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
    if (s->topk == 0) {
        /* Every token of a nucleus is at least as likely as this. */
        if (nucleus)
            cutoff = (1.0f - s->topp) / (float)(vocabulary - 1);
        if (s->minp > 0.0f)
            for (uint32_t i = 0; i < vocabulary; i++)
                if (s->minp * probabilities[i] > cutoff)
                    cutoff = s->minp * probabilities[i];
    }
    for (uint32_t i = 0; i < vocabulary; i++)
        if (probabilities[i] >= cutoff)
            sampler->candidates[count++] = (struct candidate){probabilities[i], i};
    return count;
}

static uint32_t sample_limited(struct sampler *sampler, const float *probabilities, bool nucleus,
                               float coin) {
    const struct sampling *s = &sampler->sampling;
    struct candidate *candidates = sampler->candidates;
    uint32_t count = gather(sampler, probabilities, nucleus);
    if (count == 0) /* the probabilities are no numbers */
        return 0;
    float total = 1.0f;
    if (s->topk > 0 && s->topk < count) {
        select_likeliest(candidates, count, s->topk);
        count = s->topk;
        total = 0.0f;
        for (uint32_t i = 0; i < count; i++)
            total += candidates[i].probability;
    }
    qsort(candidates, count, sizeof *candidates, compare_candidates);

    float limit = nucleus ? s->topp * total : INFINITY, kept = 0.0f;
    float least = s->minp * candidates[0].probability;
    uint32_t last = 0;
    for (uint32_t i = 0; i < count && kept <= limit && candidates[i].probability >= least; i++) {
        kept += candidates[i].probability;
        last = i;
    }
    float sum = 0.0f;
    for (uint32_t i = 0; i < last; i++) {
        sum += candidates[i].probability;
        if (coin * kept < sum)
            return candidates[i].token;
    }
    return candidates[last].token;
}

static uint32_t choose(struct sampler *sampler, float *logits) {
    const struct sampling *s = &sampler->sampling;
    if (s->repeat != 1.0f)
        penalise_repetition(sampler, logits);
    if (s->temperature == 0.0f)
        return argmax(logits, sampler->vocabulary);
    softmax(logits, sampler->vocabulary, s->temperature);
    float coin = random_float(sampler);
    bool nucleus = s->topp > 0.0f && s->topp < 1.0f;
    if (!nucleus && s->topk == 0 && s->minp == 0.0f)
        return sample_all(logits, sampler->vocabulary, coin);
    return sample_limited(sampler, logits, nucleus, coin);
}

uint32_t sampler_sample(struct sampler *sampler, float *logits) {
    if (any_nan(logits, sampler->vocabulary))
        return SAMPLER_NO_TOKEN;
    uint32_t token = choose(sampler, logits);
    sampler->present[token] = true;
    return token;
}
