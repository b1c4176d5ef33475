/*
 * What the trim (site_scons/bareflow/trim) leaves of what it removes. Of a function: a trap stub,
 * UD2 and the function's id in four bytes. Of a part of a function: INT3 throughout. Of a variable:
 * an address where there is never memory.
 */
#pragma once

#define TRAP_STUB_SIZE 6
#define TRAP_STUB_ALIGNMENT 4

/* Bytes of the shortest part that is removed. Fewer INT3s in a row may be the code's own. (Parts of
 * 8 bytes and more would save another 26 KB of 5 MB.) */
#define REMOVED_PART_SIZE 16

/* The last half gigabyte: code reaches it with 32-bit displacements, and no memory is ever mapped
 * there. Two variables are REMOVED_DATA_DISTANCE apart, whatever their sizes. */
#define REMOVED_DATA_START 0xFFFFFFFFE0000000u
#define REMOVED_DATA_DISTANCE 0x100000u

/* The first variable's id in the table of names (names.h), where functions have smaller ones. */
#define REMOVED_DATA_ID 0x40000000u
