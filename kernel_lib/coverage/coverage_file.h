/*
 * /profile/COVERAGE.BIN: which functions have run in all boots of one build. These functions use no
 * disk and no console. All numbers are little-endian:
 *
 *   8 bytes    "BFCOVER1"
 *   32 bytes   build id, as hexadecimal digits
 *   u32        boots that are merged in it
 *   u32        functions in the kernel's table of symbols
 *   u32        how many of these have run
 *   u32        bytes of names
 *   bits       one for each function, lowest bit first: it has run
 *   u32s       the places in the table of those that have run, in the order of their first calls
 *   names      of the application's functions in bitcode, each "+name\n" (has run) or "-name\n"
 *   u32        CRC-32 of all that stands before it
 *
 * site_scons/bareflow/coverage/coverage_file.py reads it.
 */
#pragma once
#include "kernel_lib/coverage/application.h"
#include "kernel_lib/error.h"
#include <stdint.h>

#define COVERAGE_PATH "/profile/COVERAGE.BIN"
#define COVERAGE_BUILD_ID 32

/* What one boot has seen. */
struct coverage_seen {
    const char *build_id; /* COVERAGE_BUILD_ID digits */
    uint32_t functions;
    const uint32_t *order;             /* those of them that have run */
    uint32_t executed;                 /* entries of order */
    coverage_application *application; /* NULL: there is none */
};

/* The file's bits, if its `size` bytes are a whole file of the build and the functions that `seen`
 * names. Otherwise NULL, and why->text says what is wrong. */
const uint8_t *coverage_file_bits(const struct coverage_seen *seen, const uint8_t *file,
                                  size_t size, struct error *why);

/*
 * Makes the new contents of the file from what this boot has seen. If old (old_size bytes, or NULL)
 * is a file of the same build, it is merged. If it is another file, why->text says what is wrong
 * with it; otherwise why->text is empty. The result is the caller's to free and *size its length;
 * NULL when there is no memory for it.
 */
uint8_t *coverage_file_make(const struct coverage_seen *seen, const uint8_t *old, size_t old_size,
                            size_t *size, struct error *why);
