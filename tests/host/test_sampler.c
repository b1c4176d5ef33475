// sources: tinyllama/sampler.c tinyllama/kernels/elementwise.c kernel_lib/error.c
// sources: kernel_lib/io/format.c
/* The sampler: which token, with which probability. */
#include "check.h"
#include "tinyllama/sampler.h"
#include <math.h>

enum { VOCABULARY = 5, PADDED = 16, DRAWS = 200000 };

static struct sampler make_sampler_with(const struct sampling *sampling, uint64_t seed) {
    struct sampler sampler;
    struct error error;
    CHECK(sampler_init(&sampler, VOCABULARY, sampling, seed, &error));
    return sampler;
}

static struct sampler make_sampler(float temperature, float topp, uint64_t seed) {
    struct sampling sampling = {.temperature = temperature, .top_p = topp, .repeat_penalty = 1.0f};
    return make_sampler_with(&sampling, seed);
}

static uint32_t draw(struct sampler *sampler, const float logits[VOCABULARY]) {
    _Alignas(64) float copy[PADDED] = {0};
    memcpy(copy, logits, VOCABULARY * sizeof(float));
    uint32_t token = sampler_sample(sampler, copy);
    CHECK(token < VOCABULARY);
    return token;
}

/* How often each token comes lies within five standard deviations of its probability. */
static void check_sampling(const struct sampling *sampling, const float logits[VOCABULARY],
                           const double expected[VOCABULARY]) {
    struct sampler sampler = make_sampler_with(sampling, 42);
    unsigned count[VOCABULARY] = {0};
    for (int i = 0; i < DRAWS; i++)
        count[draw(&sampler, logits)]++;
    for (int i = 0; i < VOCABULARY; i++) {
        double deviation = sqrt(DRAWS * expected[i] * (1.0 - expected[i]));
        CHECK(fabs(count[i] - DRAWS * expected[i]) <= 5.0 * deviation + 1e-3 * DRAWS * 1e-3);
    }
    sampler_free(&sampler);
}

static void check_frequencies(float temperature, float topp, const float logits[VOCABULARY],
                              const double expected[VOCABULARY]) {
    struct sampling sampling = {.temperature = temperature, .top_p = topp, .repeat_penalty = 1.0f};
    check_sampling(&sampling, logits, expected);
}

/* Logits of the probabilities 0.4, 0.05, 0.3, 0.05, 0.2. */
static const float logits[VOCABULARY] = {-0.91629073f, -2.99573227f, -1.20397280f, -2.99573227f,
                                         -1.60943791f};

static void test_greedy(void) {
    struct sampler sampler = make_sampler(0.0f, 0.9f, 7);
    CHECK(draw(&sampler, logits) == 0);
    CHECK(draw(&sampler, (const float[]){-3.0f, -1.0f, -2.0f, -1.0f, -5.0f}) == 1);
    CHECK(sampler.state == 7); /* no chance involved */
    sampler_free(&sampler);
}

static void test_distributions(void) {
    static const double all[] = {0.4, 0.05, 0.3, 0.05, 0.2};
    check_frequencies(1.0f, 1.0f, logits, all);
    check_frequencies(1.0f, 0.0f, logits, all); /* 0 means no nucleus either */
    /* Half the temperature squares the probabilities: 0.16, 0.0025, 0.09, 0.0025, 0.04 of 0.295. */
    static const double squared[] = {0.16 / 0.295, 0.0025 / 0.295, 0.09 / 0.295, 0.0025 / 0.295,
                                     0.04 / 0.295};
    check_frequencies(0.5f, 1.0f, logits, squared);
    /* 0.4 + 0.3 exceed 0.65 first; 0.4 alone exceeds 0.35; all but a 0.05 exceed 0.92. */
    static const double two[] = {0.4 / 0.7, 0, 0.3 / 0.7, 0, 0};
    check_frequencies(1.0f, 0.65f, logits, two);
    static const double one[] = {1, 0, 0, 0, 0};
    check_frequencies(1.0f, 0.35f, logits, one);
    static const double four[] = {0.4 / 0.95, 0.05 / 0.95, 0.3 / 0.95, 0, 0.2 / 0.95};
    check_frequencies(1.0f, 0.92f, logits, four);
}

/* The temperature comes last: what top-p leaves does not depend on it. 0.4 and 0.3 exceed 0.65, and
 * their squares would alone. */
static void test_temperature_comes_last(void) {
    static const double two[] = {0.16 / 0.25, 0, 0.09 / 0.25, 0, 0};
    check_frequencies(0.5f, 0.65f, logits, two);
    /* Roots of 0.4, 0.3, 0.2: top-k by the probabilities, then twice the temperature. */
    static const double three[] = {0.63245553 / 1.62739169, 0, 0.54772256 / 1.62739169, 0,
                                   0.44721360 / 1.62739169};
    check_sampling(&(struct sampling){2.0f, 3, 1.0f, 0.0f, 1.0f, 64}, logits, three);
    check_sampling(&(struct sampling){2.0f, 0, 1.0f, 0.45f, 1.0f, 64}, logits, three);
}

static void test_topk(void) {
    static const double three[] = {0.4 / 0.9, 0, 0.3 / 0.9, 0, 0.2 / 0.9};
    check_sampling(&(struct sampling){1.0f, 3, 1.0f, 0.0f, 1.0f, 64}, logits, three);
    static const double one[] = {1, 0, 0, 0, 0};
    check_sampling(&(struct sampling){1.0f, 1, 1.0f, 0.0f, 1.0f, 64}, logits, one);
    /* Of equal ones the first token counts. */
    static const double four[] = {0.4 / 0.95, 0.05 / 0.95, 0.3 / 0.95, 0, 0.2 / 0.95};
    check_sampling(&(struct sampling){1.0f, 4, 1.0f, 0.0f, 1.0f, 64}, logits, four);
    static const double all[] = {0.4, 0.05, 0.3, 0.05, 0.2};
    check_sampling(&(struct sampling){1.0f, 5, 1.0f, 0.0f, 1.0f, 64}, logits, all);
    check_sampling(&(struct sampling){1.0f, 1000, 1.0f, 0.0f, 1.0f, 64}, logits, all);
    /* Top-p of what top-k left: of 0.4 / 0.9, 0.3 / 0.9, 0.2 / 0.9 the first two exceed 0.7; of all
     * tokens they would not exceed 0.72. */
    static const double two[] = {0.4 / 0.7, 0, 0.3 / 0.7, 0, 0};
    check_sampling(&(struct sampling){1.0f, 3, 0.72f, 0.0f, 1.0f, 64}, logits, two);
    check_sampling(&(struct sampling){1.0f, 0, 0.72f, 0.0f, 1.0f, 64}, logits, three);
}

static void test_minp(void) {
    /* At least 0.45 * 0.4 = 0.18; 0.6 * 0.4 = 0.24; 0.1 * 0.4 = 0.04. */
    static const double three[] = {0.4 / 0.9, 0, 0.3 / 0.9, 0, 0.2 / 0.9};
    check_sampling(&(struct sampling){1.0f, 0, 1.0f, 0.45f, 1.0f, 64}, logits, three);
    static const double two[] = {0.4 / 0.7, 0, 0.3 / 0.7, 0, 0};
    check_sampling(&(struct sampling){1.0f, 0, 1.0f, 0.6f, 1.0f, 64}, logits, two);
    static const double all[] = {0.4, 0.05, 0.3, 0.05, 0.2};
    check_sampling(&(struct sampling){1.0f, 0, 0.0f, 0.1f, 1.0f, 64}, logits, all);
    static const double one[] = {1, 0, 0, 0, 0};
    check_sampling(&(struct sampling){1.0f, 0, 0.0f, 1.0f, 1.0f, 64}, logits, one);
    /* With the others: whichever leaves less. */
    check_sampling(&(struct sampling){1.0f, 3, 0.99f, 0.6f, 1.0f, 64}, logits, two);
    check_sampling(&(struct sampling){1.0f, 0, 0.65f, 0.45f, 1.0f, 64}, logits, two);
}

static void test_repetition_penalty(void) {
    static const float scores[VOCABULARY] = {2.0f, 1.5f, -1.0f, -1.5f, -9.0f};
    struct sampling sampling = {.repeat_penalty = 2.0f, .repeat_last_n = 64};
    struct sampler sampler = make_sampler_with(&sampling, 1);
    CHECK(draw(&sampler, scores) == 0); /* nothing is present before the first token */
    CHECK(draw(&sampler, scores) == 1); /* 2.0 / 2 is less than 1.5 */
    CHECK(draw(&sampler, scores) == 0); /* 1.0 against 0.75: present counts once */
    sampler_begin(&sampler, (const uint32_t[]){0, 1}, 2);
    CHECK(draw(&sampler, scores) == 0);
    sampler_begin(&sampler, (const uint32_t[]){2}, 1);
    /* Negative ones are multiplied: -1.0 becomes -2.0, below -1.5. */
    CHECK(draw(&sampler, (const float[]){-5.0f, -5.0f, -1.0f, -1.5f, -9.0f}) == 3);
    sampler_free(&sampler);

    /* Only the last tokens of the text count. */
    sampling.repeat_last_n = 2;
    sampler = make_sampler_with(&sampling, 1);
    sampler_begin(&sampler, (const uint32_t[]){0, 3, 4}, 3);
    CHECK(draw(&sampler, scores) == 0);
    sampler_begin(&sampler, (const uint32_t[]){3, 0, 4}, 3);
    CHECK(draw(&sampler, scores) == 1);
    sampler.sampling.repeat_last_n = 0;
    sampler_begin(&sampler, (const uint32_t[]){0}, 1);
    CHECK(draw(&sampler, scores) == 0);
    sampler_free(&sampler);

    /* Before the temperature: logits 2 ln 2, ln 2, 0 and a penalty of 2 on the first give 2 : 2
     * : 1. */
    static const float powers[VOCABULARY] = {1.38629436f, 0.69314718f, 0.0f, -100.0f, -100.0f};
    sampler = make_sampler_with(&(struct sampling){1.0f, 0, 1.0f, 0.0f, 2.0f, 64}, 42);
    unsigned count[VOCABULARY] = {0};
    for (int i = 0; i < DRAWS; i++) {
        sampler_begin(&sampler, (const uint32_t[]){0}, 1);
        count[draw(&sampler, powers)]++;
    }
    for (int i = 0; i < 3; i++) {
        double expected = i < 2 ? 0.4 : 0.2;
        CHECK(fabs(count[i] - DRAWS * expected) <= 5.0 * sqrt(DRAWS * expected * (1 - expected)));
    }
    sampler_free(&sampler);
}

/* Top-k's selection against a sort: from many candidates, the k likeliest and no others. */
static void test_topk_of_many(void) {
    enum { MANY = 1000, K = 37 };
    static _Alignas(64) float scores[MANY + 16];
    struct sampler sampler;
    struct error error;
    CHECK(
        sampler_init(&sampler, MANY, &(struct sampling){1.0f, K, 1.0f, 0.0f, 1.0f, 64}, 3, &error));
    bool came[MANY] = {false};
    for (int i = 0; i < 2000; i++) {
        /* 7 generates all residues modulo 1000 once: ranks in a scrambled order, nearly equal. */
        for (int j = 0; j < MANY; j++)
            scores[j] = (float)(j * 7 % MANY) * 1e-3f;
        came[sampler_sample(&sampler, scores)] = true;
    }
    for (int j = 0; j < MANY; j++)
        CHECK(came[j] == (j * 7 % MANY >= MANY - K));
    sampler_free(&sampler);
}

/* The generator is xorshift64*: state after seed 1, and the first 24-bit value from it, by hand:
 * 1 ^ 1 << 25 = 0x2000001, ^ >> 27 = 0x2000001; times 0x2545F4914F6CDD1D, bits 63..40. */
static void test_random_numbers(void) {
    struct sampler sampler = make_sampler(1.0f, 1.0f, 1);
    uint64_t state = 0x2000001, product = state * 0x2545F4914F6CDD1Dull;
    double coin = (double)(product >> 40) / 16777216.0;
    uint32_t expected = coin < 0.4 ? 0 : coin < 0.45 ? 1 : coin < 0.75 ? 2 : coin < 0.8 ? 3 : 4;
    CHECK(draw(&sampler, logits) == expected);
    CHECK(sampler.state == state);
    sampler_free(&sampler);
}

static void test_same_seed_same_tokens(void) {
    struct sampler a = make_sampler(1.0f, 0.9f, 99), b = make_sampler(1.0f, 0.9f, 99);
    struct sampler other = make_sampler(1.0f, 0.9f, 100);
    int differ = 0;
    for (int i = 0; i < 100; i++) {
        uint32_t token = draw(&a, logits);
        CHECK(token == draw(&b, logits));
        differ += token != draw(&other, logits);
    }
    CHECK(differ > 20);
    sampler_free(&a);
    sampler_free(&b);
    sampler_free(&other);
}

/* Whatever a damaged model gives, the token is one of the vocabulary (draw checks), or none when
 * there is a NaN. */
static void test_no_numbers(void) {
    static const float bad[][VOCABULARY] = {
        {INFINITY, INFINITY, 0, 0, 0}, {-INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY}};
    static const struct sampling ways[] = {{1.0f, 0, 1.0f, 0.0f, 1.0f, 64},
                                           {1.0f, 0, 0.9f, 0.0f, 1.0f, 64},
                                           {1.0f, 2, 0.9f, 0.1f, 1.1f, 64}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (size_t j = 0; j < sizeof ways / sizeof *ways; j++) {
            struct sampler sampler = make_sampler_with(&ways[j], 5);
            draw(&sampler, bad[i]);
            sampler_free(&sampler);
        }
    for (int at = 0; at < VOCABULARY; at++)
        for (size_t j = 0; j < sizeof ways / sizeof *ways; j++)
            for (int greedy = 0; greedy < 2; greedy++) {
                struct sampler sampler = make_sampler_with(&ways[j], 5);
                _Alignas(64) float copy[PADDED] = {1, 2, 3, 4, 5};
                copy[at] = at % 2 ? NAN : -NAN;
                if (greedy)
                    sampler.sampling.temperature = 0.0f;
                CHECK(sampler_sample(&sampler, copy) == SAMPLER_NO_TOKEN);
                sampler_free(&sampler);
            }
}

int main(void) {
    test_greedy();
    test_distributions();
    test_temperature_comes_last();
    test_topk();
    test_topk_of_many();
    test_minp();
    test_repetition_penalty();
    test_random_numbers();
    test_same_seed_same_tokens();
    test_no_numbers();
    puts("sampler: passed");
}
