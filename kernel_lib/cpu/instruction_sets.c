/* CPUID's bits by name (Intel SDM vol. 2, CPUID; AMD APM vol. 3, appendix E). */
#include "kernel_lib/cpu/instruction_sets.h"
#include "kernel_lib/cpu/features.h"
#include "kernel_lib/io/format.h"
#include "kernel_lib/runtime.h"

enum leaf { LEAF1_ECX, LEAF7_EBX, LEAF7_ECX, LEAF7_1_EAX, EXTENDED1_ECX, WORDS };

static const struct set {
    const char *name;
    enum leaf word;
    uint8_t bit;
    uint8_t state; /* bits of XCR0 that must be set */
} sets[] = {
    {"avx512vnni", LEAF7_ECX, 11, CPU_STATE_AVX512},
    {"avx512vpopcntdq", LEAF7_ECX, 14, CPU_STATE_AVX512},
    {"avx512bitalg", LEAF7_ECX, 12, CPU_STATE_AVX512},
    {"avx512vbmi2", LEAF7_ECX, 6, CPU_STATE_AVX512},
    {"avx512vbmi", LEAF7_ECX, 1, CPU_STATE_AVX512},
    {"avx512ifma", LEAF7_EBX, 21, CPU_STATE_AVX512},
    {"avx512cd", LEAF7_EBX, 28, CPU_STATE_AVX512},
    {"avx512vl", LEAF7_EBX, 31, CPU_STATE_AVX512},
    {"avx512bw", LEAF7_EBX, 30, CPU_STATE_AVX512},
    {"avx512dq", LEAF7_EBX, 17, CPU_STATE_AVX512},
    {"avx512f", LEAF7_EBX, 16, CPU_STATE_AVX512},
    {"avxvnni", LEAF7_1_EAX, 4, CPU_STATE_AVX},
    {"vpclmulqdq", LEAF7_ECX, 10, CPU_STATE_AVX},
    {"vaes", LEAF7_ECX, 9, CPU_STATE_AVX},
    {"avx2", LEAF7_EBX, 5, CPU_STATE_AVX},
    {"fma", LEAF1_ECX, 12, CPU_STATE_AVX},
    {"f16c", LEAF1_ECX, 29, CPU_STATE_AVX},
    {"avx", LEAF1_ECX, 28, CPU_STATE_AVX},
    {"gfni", LEAF7_ECX, 8, 0},
    {"sha", LEAF7_EBX, 29, 0},
    {"adx", LEAF7_EBX, 19, 0},
    {"bmi2", LEAF7_EBX, 8, 0},
    {"bmi", LEAF7_EBX, 3, 0},
    {"lzcnt", EXTENDED1_ECX, 5, 0},
    {"movbe", LEAF1_ECX, 22, 0},
    {"aes", LEAF1_ECX, 25, 0},
    {"pclmul", LEAF1_ECX, 1, 0},
    {"xsave", LEAF1_ECX, 27, 0}, /* OSXSAVE: switched on */
    {"popcnt", LEAF1_ECX, 23, 0},
    {"crc32", LEAF1_ECX, 20, 0}, /* a part of SSE4.2 */
    {"sse4.2", LEAF1_ECX, 20, 0},
    {"sse4.1", LEAF1_ECX, 19, 0},
    {"ssse3", LEAF1_ECX, 9, 0},
    {"sse3", LEAF1_ECX, 0, 0},
};
#define SETS (sizeof sets / sizeof *sets)

static void read_words(uint32_t words[WORDS]) {
    memset(words, 0, WORDS * sizeof *words);
    words[LEAF1_ECX] = cpu_cpuid(1, 0).ecx;
    if (cpu_cpuid(0, 0).eax >= 7) {
        struct cpuid leaf = cpu_cpuid(7, 0);
        words[LEAF7_EBX] = leaf.ebx;
        words[LEAF7_ECX] = leaf.ecx;
        words[LEAF7_1_EAX] = leaf.eax >= 1 ? cpu_cpuid(7, 1).eax : 0;
    }
    if (cpu_cpuid(0x80000000, 0).eax > 0x80000000)
        words[EXTENDED1_ECX] = cpu_cpuid(0x80000001, 0).ecx;
}

static bool has(const struct set *set, const uint32_t words[WORDS]) {
    return (words[set->word] >> set->bit & 1) && (!set->state || cpu_state_enabled(set->state));
}

static const struct set *find(const char *name, size_t length) {
    for (size_t i = 0; i < SETS; i++)
        if (strlen(sets[i].name) == length && memcmp(sets[i].name, name, length) == 0)
            return &sets[i];
    return NULL;
}

void cpu_instruction_sets(char list[CPU_SETS_SIZE]) {
    uint32_t words[WORDS];
    size_t length = 0;
    read_words(words);
    list[0] = '\0';
    for (size_t i = 0; i < SETS; i++)
        if (has(&sets[i], words))
            length += format_into(list + length, CPU_SETS_SIZE - length, "%s%s", length ? "," : "",
                                  sets[i].name);
}

const char *cpu_instruction_set(size_t index) {
    return index < SETS ? sets[index].name : NULL;
}

const char *cpu_lacks(const char *list, size_t *length) {
    uint32_t words[WORDS];
    read_words(words);
    for (const char *at = list; *at; at += *length + (at[*length] == ',')) {
        *length = strcspn(at, ",");
        const struct set *set = find(at, *length);
        if (!set || !has(set, words))
            return at;
    }
    return NULL;
}
