/* What the policy keeps of each function, and what the application says and asks of them. */
#include "kernel_lib/jit/policy/budget.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"

void policy_set_up(struct jit_function *f, uint64_t boots, enum jit_level max_level) {
    bool was_limited = max_level < jit_settings()->max_level;
    f->policy = (struct jit_policy){.autotuned = f->level == JIT_O3, .tracking.last = -1};
    if (boots > 0 && f->level >= f->earlier.level && !was_limited)
        f->policy.usual_calls = f->earlier.calls / boots;
    if (f->specialised)
        f->policy.tracking.clones = (uint8_t)((1u << f->values.count) - 1);
}

void jit_policy_start(uint64_t boots, enum jit_level max_level, uint64_t first_cycles) {
    budget_set_earlier_first(first_cycles);
    size_t count;
    struct jit_function *const *functions = jit_functions(&count);
    for (size_t i = 0; i < count; i++)
        policy_set_up(functions[i], boots, max_level);
}

bool policy_computes(struct jit_function *f) {
    if (f->policy.loop == LOOP_UNKNOWN)
        f->policy.loop = jit_has_loop(f) ? LOOP_OWN : LOOP_NONE;
    return f->policy.loop == LOOP_OWN;
}

bool jit_available(void) {
    return true;
}

bool jit_has_chosen(void) {
    return false;
}

const char *jit_get_optimization_level(const char *name) {
    size_t count;
    struct jit_function *const *functions = jit_functions(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(functions[i]->name, name) == 0)
            return jit_level_name(functions[i]->level);
    return NULL;
}

bool jit_add_alternative(const void *function, const void *other) {
    struct jit_function *f = jit_function_at(function), *alternative = jit_function_at(other);
    for (int i = 0; f && alternative && i < JIT_ALTERNATIVES; i++)
        if (!f->policy.alternatives[i]) {
            f->policy.alternatives[i] = alternative;
            return true;
        }
    return false;
}
