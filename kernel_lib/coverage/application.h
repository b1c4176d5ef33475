/*
 * Functions that are not the kernel's own, such as those of an application that is inside as
 * bitcode: the coverage file names them, too, and says which of them have run. Whoever runs them
 * gives this hook to the kernel.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Gives the name of the function with this index, which stays valid, and in *has_run whether it has
 * been called. NULL: there are no more; every index below gives a name, in every boot of one build
 * the same. */
typedef const char *coverage_application(size_t index, bool *has_run);

/* From now on the coverage file speaks of these functions. NULL: of none. */
void coverage_set_application(coverage_application *application);

/* What was set last. */
coverage_application *coverage_get_application(void);
