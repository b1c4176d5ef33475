#include "kernel_lib/whole_file.h"
#include "kernel_lib/runtime.h"

uint8_t *whole_file_read(const char *path, size_t limit, size_t *size, struct error *error) {
    struct file *file = file_open(path, error);
    error->text[0] = '\0';
    if (!file)
        return NULL;
    uint8_t *bytes = NULL;
    if (file_size(file) > limit) {
        error_set(error, "it has more than %zu bytes", limit);
    } else {
        *size = (size_t)file_size(file);
        bytes = malloc(*size + 1);
        if (!bytes)
            error_set(error, "there is no memory to read it");
    }
    if (bytes && !file_read(file, 0, bytes, *size, error)) {
        free(bytes);
        bytes = NULL;
    }
    file_close(file);
    return bytes;
}
