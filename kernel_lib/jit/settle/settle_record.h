/*
 * /profile/SETTLED.TXT: for how many boots in a row nothing new has happened, and how often the
 * machine has tried to write a successor by itself. Text, a line "key=value" each. Pure: no disk,
 * no console.
 *
 * It is about one build of the program, one CPU and one model, which it names: with another one it
 * begins anew, as the profile does.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define SETTLE_ID 33
#define SETTLE_MODEL 128
#define SETTLE_TEXT 512 /* most bytes of the file, and the end */
#define SETTLE_TRIES 3  /* of each step, for one build, CPU and model */

enum settle_step { SETTLE_NOTHING, SETTLE_TRIM, SETTLE_EXPORT };

struct settle_record {
    char build[SETTLE_ID], cpu[SETTLE_ID], model[SETTLE_MODEL];
    unsigned covered;   /* boots in a row that ran no new function of the compiler's libraries */
    unsigned compiled;  /* boots in a row that compiled nothing */
    unsigned trims;     /* times that a trimmed copy was begun ... */
    unsigned exports;   /* ... and that a native successor was */
    unsigned rehearsed; /* 1: nothing was compiled since a trimmed copy was written */
};

/* Reads size bytes of text. False if they are no record; *record is undefined then. */
bool settle_record_parse(struct settle_record *record, const char *text, size_t size);

/* Writes it to text; returns the length. */
size_t settle_record_format(const struct settle_record *record, char text[SETTLE_TEXT]);

/* The step that is due when boots without news are to be `boots` in a row (0: never). A kernel that
 * can trim itself does that first. Once it has tried, to export goes before: a kernel with a copy
 * boots again only if that lacks what it needs. */
enum settle_step settle_record_step(const struct settle_record *record, unsigned boots,
                                    bool can_trim);
