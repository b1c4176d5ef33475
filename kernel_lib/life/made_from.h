/*
 * What this kernel's application was compiled from, if that was more than its source: the profile
 * of a kernel with a JIT (kernel_lib/jit/export). The exporter defines it; elsewhere it is empty.
 */
#pragma once
#include <stdint.h>

struct made_from {
    const char *build;    /* id of the kernel whose profile it is; "": none */
    const char *features; /* instruction sets (instruction_sets.h) that its code needs */
    const char *model;   /* the application's name for what it was profiled with (jit_note_model) */
    const char *choices; /* for a person: lines of what was chosen for functions */
    uint64_t boots;      /* that the profile is of */
    uint64_t functions;  /* that had been called in them ... */
    uint64_t hot;        /* ... and those that took most of the time */
    uint64_t clones;     /* for frequent argument values */
    uint64_t chosen;     /* functions with the code of an alternative that was measured */
};

extern const struct made_from made_from;
