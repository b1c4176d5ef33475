/* C's operations on files (C17, 7.21.4). */
#include "kernel_lib/io/format.h"
#include "kernel_lib/runtime.h"
#include <errno.h>

int remove(const char *path) {
    struct error error;
    if (file_delete(path, &error))
        return 0;
    errno = file_exists(path) ? EACCES : ENOENT;
    return -1;
}

/* All of a file, from malloc; NULL with errno. */
static void *content(const char *path, size_t *size) {
    struct error error;
    struct file *file = file_open(path, &error);
    if (!file) {
        errno = ENOENT;
        return NULL;
    }
    *size = (size_t)file_size(file);
    void *bytes = malloc(*size + 1);
    if (!bytes)
        errno = ENOMEM;
    if (bytes && !file_read(file, 0, bytes, *size, &error)) {
        free(bytes);
        bytes = NULL;
        errno = EIO;
    }
    file_close(file);
    return bytes;
}

/* Under the new name first: at any moment the disk has the file under one of the names. */
int rename(const char *from, const char *to) {
    struct error error;
    size_t size;
    void *bytes = content(from, &size);
    if (!bytes)
        return -1;
    bool done = file_replace(to, bytes, size, &error);
    free(bytes);
    if (!done)
        errno = EIO;
    return done && (strcmp(from, to) == 0 || remove(from) == 0) ? 0 : -1;
}

char *tmpnam(char *name) {
    static char own[L_tmpnam];
    static unsigned number;
    char *made = name ? name : own;
    do
        format_into(made, L_tmpnam, "/TMP%05u.TMP", number++ % TMP_MAX);
    while (file_exists(made));
    return made;
}
