/*
 * The names of the functions that the trim removed, in a table that the build makes
 * (site_scons/bareflow/trim/stub_names.py).
 */
#pragma once
#include "kernel_lib/removed/trap_stub.h"
#include <stdbool.h>
#include <stdint.h>

/* block, an LZ4 block of size bytes, holds for each of count names in the order of the ids: the id
 * less the one before (LEB128), how many bytes the name has in common with the one before (u8), the
 * other bytes, zero. */
struct removed_names {
    uint32_t count, size;
    uint8_t block[];
};

/* Finds the name for an id; false if there is none. */
bool removed_name(const struct removed_names *table, uint32_t id, char name[REMOVED_NAME_SIZE]);
