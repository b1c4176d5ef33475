#include "kernel_lib/removed/misses.h"
#include "kernel_lib/runtime.h"

static char text[MISSES_SIZE];

/* Reads what there is; a file that is not there, or no list of names, counts as empty. */
static size_t read_list(void) {
    struct error ignored;
    struct file *file = file_open(MISSES_PATH, &ignored);
    if (!file)
        return 0;
    uint64_t size = file_size(file);
    bool is_good = size > 0 && size <= sizeof text &&
                   file_read(file, 0, text, (size_t)size, &ignored) && text[size - 1] == '\n';
    file_close(file);
    return is_good ? (size_t)size : 0;
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
    return file_replace(MISSES_PATH, text, size + length + 1, error);
}
