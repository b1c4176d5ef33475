/* Named timers: the functions jit_profile_... of jit_runtime.h. */
#include "kernel_lib/jit_runtime.h"

#define MAX_PROFILES 128 /* the last one collects what does not fit */

static struct jit_profile profiles[MAX_PROFILES];
static size_t profile_count;

static void clear(struct jit_profile *profile) {
    *profile = (struct jit_profile){.name = profile->name, .times.min = UINT64_MAX};
}

static struct jit_profile *find(const char *name) {
    for (size_t i = 0; i < profile_count; i++)
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    return NULL;
}

struct jit_profile *jit_profile_get(const char *name) {
    struct jit_profile *profile = find(name);
    if (profile)
        return profile;
    if (profile_count == MAX_PROFILES)
        return &profiles[MAX_PROFILES - 1];
    profile = &profiles[profile_count++];
    profile->name = profile_count < MAX_PROFILES ? name : "(others)";
    clear(profile);
    return profile;
}

const struct jit_profile *jit_profiles(size_t *count) {
    *count = profile_count;
    return profiles;
}

void jit_profile_reset(void) {
    for (size_t i = 0; i < profile_count; i++)
        clear(&profiles[i]);
}

uint64_t jit_get_avg_cycles(const char *name) {
    const struct jit_profile *profile = find(name);
    return profile && profile->times.calls ? profile->times.total / profile->times.calls : 0;
}

uint64_t jit_get_call_count(const char *name) {
    const struct jit_profile *profile = find(name);
    return profile ? profile->times.calls : 0;
}

uint64_t jit_get_min_cycles(const char *name) {
    const struct jit_profile *profile = find(name);
    return profile && profile->times.calls ? profile->times.min : 0;
}

uint64_t jit_get_max_cycles(const char *name) {
    const struct jit_profile *profile = find(name);
    return profile ? profile->times.max : 0;
}
