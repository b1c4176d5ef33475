// sources: kernel_lib/cpu/instruction_sets.c kernel_lib/cpu/features.c
// sources: kernel_lib/io/format.c
/* The instruction sets of this machine, and lists that it lacks. */
#include "check.h"
#include "kernel_lib/cpu/instruction_sets.h"
#include <stdbool.h>
#include <string.h>

static bool contains(const char *list, const char *name) {
    size_t length = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += length)
        if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0'))
            return true;
    return false;
}

int main(void) {
    char own[CPU_SETS_SIZE], all[CPU_SETS_SIZE] = "";
    size_t length;
    cpu_instruction_sets(own);
    CHECK(!cpu_lacks(own, &length) && !cpu_lacks("", &length));
    for (size_t i = 0; cpu_instruction_set(i); i++) {
        const char *name = cpu_instruction_set(i), *lacking = cpu_lacks(name, &length);
        CHECK(!lacking == contains(own, name));
        CHECK(!lacking || (lacking == name && length == strlen(name)));
        CHECK(strlen(all) + strlen(name) + 2 <= sizeof all);
        sprintf(all + strlen(all), "%s%s", i ? "," : "", name);
    }
    CHECK(contains(own, "avx2") == !!__builtin_cpu_supports("avx2"));
    CHECK(contains(own, "sse4.2") == !!__builtin_cpu_supports("sse4.2"));
    CHECK(contains(own, "bmi2") == !!__builtin_cpu_supports("bmi2"));
    CHECK(contains(own, "avx512vnni") == !!__builtin_cpu_supports("avx512vnni"));
    const char *unknown = "sse3x,avx9", *lacking = cpu_lacks(unknown, &length);
    CHECK(lacking == unknown && length == strlen("sse3x"));
    puts("instruction_sets: passed");
}
