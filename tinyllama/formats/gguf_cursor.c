/* Reading from front to back. */
#include "gguf_cursor.h"

bool cursor_begin(struct cursor *c, struct file *file, uint64_t offset, uint64_t end,
                  struct error *error) {
    *c = (struct cursor){.file = file, .error = error, .offset = offset, .end = end};
    c->window = malloc(CURSOR_WINDOW);
    return c->window || error_set(error, "no memory to read the model; give the machine more");
}

void cursor_end(struct cursor *c) {
    free(c->window);
    c->window = NULL;
}

/* Makes the next bytes available, at most wanted; returns how many, 0 with *error when the file
 * cannot be read. There is at least one left. */
static size_t fill(struct cursor *c, uint64_t wanted) {
    if (c->at == c->filled) {
        uint64_t left = cursor_left(c);
        size_t size = left < CURSOR_WINDOW ? (size_t)left : CURSOR_WINDOW;
        if (!file_read(c->file, c->offset, c->window, size, c->error))
            return 0;
        c->at = 0;
        c->filled = size;
    }
    size_t there = c->filled - c->at;
    return wanted < there ? (size_t)wanted : there;
}

/* Moves on by size bytes. to: where they are copied, or NULL; zero: set if one of them is 0, or
 * NULL. */
static bool pass(struct cursor *c, uint64_t size, char *to, bool *zero) {
    c->error->text[0] = '\0';
    if (size > cursor_left(c))
        return false;
    while (size > 0) {
        size_t now = fill(c, size);
        if (now == 0)
            return false;
        if (to)
            to = (char *)memcpy(to, c->window + c->at, now) + now;
        if (zero && memchr(c->window + c->at, 0, now))
            *zero = true;
        c->at += now;
        c->offset += now;
        size -= now;
    }
    return true;
}

bool cursor_read(struct cursor *c, void *buffer, size_t size) {
    return pass(c, size, buffer, NULL);
}

bool cursor_skip(struct cursor *c, uint64_t size, bool *zero) {
    return pass(c, size, NULL, zero);
}
