/*
 * Reading a part of a file from front to back, through a window of bounded size.
 */
#pragma once
#include "kernel_lib/runtime.h"

#define CURSOR_WINDOW (64u * 1024)

struct cursor {
    struct file *file;
    struct error *error;
    uint64_t offset; /* of the next byte */
    uint64_t end;    /* of what may be read */
    unsigned char *window;
    size_t at, filled; /* in the window: the next byte, and how many are there */
};

/* Begins at offset and ends before end, which is in the file. False and *error: no memory. */
bool cursor_begin(struct cursor *cursor, struct file *file, uint64_t offset, uint64_t end,
                  struct error *error);
void cursor_end(struct cursor *cursor);

static inline uint64_t cursor_left(const struct cursor *cursor) {
    return cursor->end - cursor->offset;
}

/* Copies size bytes to buffer. False when so many are not left (*error is empty then), or with
 * *error when the file cannot be read. */
bool cursor_read(struct cursor *cursor, void *buffer, size_t size);

/* Goes on behind size bytes, and looks for a zero among them if that is wanted. False as above. */
bool cursor_skip(struct cursor *cursor, uint64_t size, bool *zero);
