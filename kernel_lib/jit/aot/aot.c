/* The JIT's part of jit_runtime.h where there is none: all code was compiled ahead of time. */
#include "kernel_lib/jit_runtime.h"
#include "kernel_lib/life/fitness.h"
#include "kernel_lib/life/made_from.h"

bool jit_available(void) {
    return false;
}

size_t jit_optimize_hot_functions(void) {
    return 0;
}

bool jit_set_threshold(uint64_t warm, uint64_t hot, uint64_t very_hot) {
    return 1 <= warm && warm <= hot && hot <= very_hot;
}

const char *jit_get_optimization_level(const char *name) {
    (void)name;
    return "aot";
}

bool jit_add_alternative(const void *function, const void *other) {
    (void)function, (void)other;
    return false;
}

bool jit_has_chosen(void) {
    return made_from.chosen > 0;
}

void jit_note_model(const char *model) {
    fitness_check_model(model);
}

static const char *or_none(const char *text) {
    return *text ? text : "none";
}

void jit_print(void) {
    const struct made_from *from = &made_from;
    console_puts("Everything was compiled ahead of time.\n");
    if (!from->build[0])
        return;
    console_printf("The profile is that of kernel %s: %llu boots, %llu functions called, %llu of "
                   "them hot.\nmodel: %s\ninstruction sets: %s\n%llu clones for argument values, "
                   "%llu measured alternatives:\n%s",
                   from->build, (unsigned long long)from->boots,
                   (unsigned long long)from->functions, (unsigned long long)from->hot,
                   or_none(from->model), or_none(from->features), (unsigned long long)from->clones,
                   (unsigned long long)from->chosen, from->choices);
}

void jit_print_log(void) {}

bool jit_use_idle_time(void) {
    return false;
}

void jit_note_waiting(uint64_t begin) {
    (void)begin;
}

void jit_report_costs(void) {}

bool jit_export(struct error *error) {
    return error_set(error, "This kernel has no compiler that could write another one.");
}

bool jit_trim(struct error *error) {
    return error_set(error, "This kernel has no compiler of which it could remove functions.");
}

bool jit_settle_due(void) {
    return false;
}

void jit_settle(void) {}

void jit_note_progress(enum jit_progress progress) {
    (void)progress;
}

void jit_status(const char *text) {
    (void)text;
}

struct jit_statistics *jit_statistics(void) {
    static struct jit_statistics none;
    return &none;
}
