#include "fitness.h"
#include "kernel_lib/cpu/instruction_sets.h"
#include "kernel_lib/io/format.h"
#include "kernel_lib/runtime.h"
#include "made_from.h"
#include "snapshots.h"

#define REASON 300

void fitness_check_cpu(void) {
    size_t length;
    char reason[REASON];
    const char *lacking = made_from.features[0] ? cpu_lacks(made_from.features, &length) : NULL;
    if (!lacking)
        return;
    format_into(reason, sizeof reason, "needs %.*s, which this CPU does not have", (int)length,
                lacking);
    snapshots_pass_over(reason, NULL);
    console_printf("error: This kernel %s.\n", reason);
    platform_exit(1);
}

void fitness_check_model(const char *model) {
    char reason[REASON];
    if (!made_from.model[0] || strcmp(made_from.model, model) == 0 || snapshots_chosen_by_hand())
        return;
    format_into(reason, sizeof reason, "was made for the model %s, and this one is %s",
                made_from.model, model);
    snapshots_pass_over(reason, model);
}
