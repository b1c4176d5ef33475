#include "kernel_lib/removed/misses.h"
#include "kernel_lib/generations.h"
#include "kernel_lib/runtime.h"

static char text[MISSES_SIZE];

/* Reads the file into text and returns its size. A file that does not exist, or does not end a
 * line, counts as empty. */
static size_t read_list(void) {
    struct error ignored;
    size_t size;
    uint8_t *bytes = generation_read(MISSES_PATH, sizeof text, &size, &ignored);
    bool is_good = bytes && bytes[size - 1] == '\n';
    if (is_good)
        memcpy(text, bytes, size);
    free(bytes);
    return is_good ? size : 0;
}

static bool has_name(size_t size, const char *name, size_t length) {
    for (size_t line = 0; line < size;) {
        size_t end = line;
        while (text[end] != '\n')
            end++;
        if (end - line == length && memcmp(text + line, name, length) == 0)
            return true;
        line = end + 1;
    }
    return false;
}

bool misses_add(const char *name, struct error *error) {
    size_t size = read_list(), length = strlen(name);
    if (has_name(size, name, length))
        return true;
    if (length + 1 > sizeof text - size)
        return error_set(error, "%s is full: build the trimmed image again with misses=.",
                         MISSES_PATH);
    memcpy(text + size, name, length);
    text[size + length] = '\n';
    return generation_write(MISSES_PATH, text, size + length + 1, error);
}

const char *misses_read(size_t *size) {
    *size = read_list();
    return text;
}
