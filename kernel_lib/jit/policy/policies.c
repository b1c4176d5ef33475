/* What the policy keeps of each function, and what the application says and asks of them. */
#include "kernel_lib/jit/policy/policy.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit/store/persist.h"
#include "kernel_lib/jit_runtime.h"

static struct policy *make_policies(struct jit_function *functions, size_t count) {
    struct policy *policies = calloc(count, sizeof *policies);
    bool was_limited = jit_profile_max_level() < jit_settings()->max_level;
    for (size_t i = 0; policies && i < count; i++) {
        policies[i].last_tuple = -1;
        policies[i].tried = functions[i].level == JIT_O3; /* in an earlier start */
        if (functions[i].level >= jit_profile_last_level(&functions[i]) && !was_limited)
            policies[i].usual_calls = jit_profile_usual_calls(&functions[i]);
        if (functions[i].specialised)
            policies[i].copies = (uint8_t)((1u << functions[i].tuple_count) - 1);
    }
    return policies;
}

struct policy *policy_of(struct jit_function *function) {
    static struct policy *policies;
    static bool tried;
    size_t count;
    struct jit_function *functions = jit_functions(&count);
    if (!tried)
        policies = make_policies(functions, count);
    tried = true;
    return policies ? &policies[function - functions] : NULL;
}

bool policy_computes(struct jit_function *f) {
    struct policy *p = policy_of(f);
    if (p && p->loop == LOOP_UNKNOWN)
        p->loop = jit_has_loop(f) ? LOOP_OWN : LOOP_NONE;
    return p && p->loop == LOOP_OWN;
}

int64_t optimize_self(const struct policy *p) {
    int64_t self = 0;
    for (int level = 0; level < JIT_LEVELS; level++)
        self += p->self[level];
    return self;
}

bool jit_available(void) {
    return true;
}

const char *jit_get_optimization_level(const char *name) {
    size_t count;
    struct jit_function *functions = jit_functions(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(functions[i].name, name) == 0)
            return jit_level_name(functions[i].level);
    return NULL;
}

bool jit_add_alternative(const void *function, const void *other) {
    struct jit_function *f = jit_function_at(function), *alternative = jit_function_at(other);
    struct policy *p = f ? policy_of(f) : NULL;
    for (int i = 0; p && alternative && i < JIT_ALTERNATIVES; i++)
        if (!p->alternatives[i]) {
            p->alternatives[i] = alternative;
            return true;
        }
    return false;
}
