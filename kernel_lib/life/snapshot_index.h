/*
 * /boot/snapshots/INDEX.TXT: the kernels that this machine has written for itself, oldest first.
 * Text that a person can read: a line a snapshot, of words key=value; a line that begins with "#"
 * is a comment. Pure: no disk, no console.
 */
#pragma once
#include "kernel_lib/cpu/instruction_sets.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAPSHOTS_MAX 32
#define SNAPSHOT_LAST 9999 /* the greatest number */
#define SNAPSHOT_NAME 13   /* 8.3, and the end */
#define SNAPSHOT_BUILD 33
#define SNAPSHOT_MODEL 128

struct snapshot {
    char kernel[SNAPSHOT_NAME]; /* its file: "0001.KRN" */
    char kind[8];               /* "full", "trimmed" or "native" */
    char build[SNAPSHOT_BUILD]; /* its build id */
    char maker[SNAPSHOT_BUILD]; /* that of the kernel which wrote it */
    char parent[SNAPSHOT_NAME]; /* the kernel for when this one does not come up */
    char result[8];             /* of its last boot: "new", "good", "failed" or "missed" */
    char cpu[CPU_SETS_SIZE];    /* instruction sets that it needs (instruction_sets.h), or "" */
    char model[SNAPSHOT_MODEL]; /* that it was made for (jit_note_model); "": any */
    uint32_t bytes;             /* of the file */
    uint32_t boots;             /* that came to a result */
};

struct snapshot_index {
    size_t count;
    struct snapshot snapshot[SNAPSHOTS_MAX];
};

/* Reads size bytes of text. Lines that are not understood, and those beyond SNAPSHOTS_MAX, are left
 * out; returns how many. */
size_t snapshot_index_parse(struct snapshot_index *index, const char *text, size_t size);

/* The index as text, which the caller frees. NULL: there is no memory. */
char *snapshot_index_format(const struct snapshot_index *index);

/* The snapshot with this file name; NULL when there is none. */
struct snapshot *snapshot_index_find(struct snapshot_index *index, const char *kernel);

/* The number in a name like "0012.KRN"; 0: it is none. */
unsigned snapshot_number(const char *kernel);

/* Whether nothing speaks against booting it: no boot of it has failed, or missed a function. */
bool snapshot_works(const struct snapshot *snapshot);

/* The least number that is greater than any snapshot's. */
unsigned snapshot_index_next(const struct snapshot_index *index);

/* Adds one with this number, at most SNAPSHOT_LAST, to fewer than SNAPSHOTS_MAX. */
struct snapshot *snapshot_index_add(struct snapshot_index *index, unsigned number);

/* Bits for entries that must stay, lowest bit first: the newest one that has worked, with the
 * parent that boots in its place, and the first full one. */
uint32_t snapshot_index_kept(struct snapshot_index *index);
/* Adds the bits of this kernel and of the one that boots in its place: the next in its line of
 * parents that works. */
void snapshot_index_keep(struct snapshot_index *index, const char *kernel, uint32_t *kept);

/* Removes it. */
void snapshot_index_remove(struct snapshot_index *index, struct snapshot *snapshot);
