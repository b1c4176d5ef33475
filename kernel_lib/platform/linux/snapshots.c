/* Snapshots, where nothing boots: one file, which is another kernel's on the bare machine. */
#include "kernel_lib/life/snapshots.h"
#include "kernel_lib/life/settle_setting.h"
#include "kernel_lib/life/trim/self_trim.h"
#include "kernel_lib/removed/removed_functions.h"
#include "kernel_lib/runtime.h"

#define PATH "/boot/snapshots/0001.KRN"

bool snapshots_add(const struct new_snapshot *snapshot, struct error *error) {
    if (!file_replace(PATH, snapshot->kernel, snapshot->size, error))
        return false;
    console_printf("%s, %s, %zu bytes.\n", PATH, snapshot->kind, snapshot->size);
    return true;
}

void snapshots_pass_over(const char *reason, const char *model) {
    (void)model;
    console_printf("warning: This program %s.\n", reason);
}

bool snapshots_chosen_by_hand(void) {
    return false;
}

void snapshots_report_success(void) {}

unsigned life_settle(void) {
    return 0;
}

bool snapshots_is_next(void) {
    return false;
}

bool snapshots_successor_failed(void) {
    return false;
}

void snapshots_print(void) {
    console_puts("There are snapshots only where the machine can boot them.\n");
}

bool kernel_is_trimmed_copy(void) {
    return false;
}

bool self_trim_possible(struct error *error) {
    return error_set(error, "Only on the bare machine is it known which functions have run.");
}

bool self_trim_sees_new_functions(void) {
    return false;
}

uint64_t self_trim_memory(void) {
    return 0;
}

bool self_trim(bool (*go_on)(void), struct error *error) {
    (void)go_on;
    return self_trim_possible(error);
}
