#include "kernel_lib/jit/values.h"
#include <string.h>

#define RARE 32 /* one call in so many is not worth a clone */

void jit_values_select(struct jit_value_profile *profile) {
    uint64_t calls = 0;
    uint8_t kept = 0;
    for (int i = 0; i < profile->count; i++)
        calls += profile->frequent[i].calls;
    for (int i = 0; i < profile->count; i++)
        if (profile->frequent[i].calls * RARE >= calls)
            profile->frequent[kept++] = profile->frequent[i];
    memset(profile->frequent + kept, 0,
           (size_t)(profile->count - kept) * sizeof *profile->frequent);
    profile->count = kept;
}
