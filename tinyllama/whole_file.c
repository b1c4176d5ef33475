/* Files that are read as a whole. */
#include "whole_file.h"

char *whole_file(const char *path, size_t *size, struct error *error) {
    struct file *file = file_open(path, error);
    if (!file)
        return NULL;
    uint64_t bytes = file_size(file);
    char *content = bytes < memory_usage().total ? malloc((size_t)bytes + 1) : NULL;
    bool good = content ? file_read(file, 0, content, (size_t)bytes, error)
                        : error_set(error, "no memory for %s of %llu bytes", path,
                                    (unsigned long long)bytes);
    file_close(file);
    if (!good) {
        free(content);
        return NULL;
    }
    content[bytes] = '\0';
    *size = (size_t)bytes;
    return content;
}
