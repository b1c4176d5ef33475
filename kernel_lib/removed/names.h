/*
 * The names of the functions that are trap stubs now, and of removed data. The build makes the
 * table (site_scons/bareflow/trim/stub_names.py).
 */
#pragma once
#include <stdint.h>

/* Behind the ids, which ascend: the names in the same order, each ended by a zero byte. */
struct removed_names {
    uint32_t count;
    uint32_t ids[];
};

/* The name for an id; NULL if there is none. */
const char *removed_name(const struct removed_names *table, uint32_t id);
