/* runtime.h's files for a Linux program: the system's. */
#include "kernel_lib/generations.h"
#include "kernel_lib/platform/linux/linux.h"
#include "kernel_lib/platform/linux/syscall.h"
#include "kernel_lib/runtime.h"

#define MAX_PATH 4096

struct file {
    int descriptor;
    uint64_t size;
};

const char *linux_root;

/* The system's path: below linux_root, when there is one. */
static bool full_path(char out[MAX_PATH], const char *path, const char *suffix,
                      struct error *error) {
    int length = snprintf(out, MAX_PATH, "%s%s%s%s", linux_root ? linux_root : "",
                          linux_root && path[0] != '/' ? "/" : "", path, suffix);
    return (length > 0 && length < MAX_PATH) || error_set(error, "The path %s is too long.", path);
}

bool files_ready(struct error *error) {
    (void)error;
    return true;
}

static struct file *open_file(const char *path, int flags, struct error *error) {
    enum { SEEK_TO_END = 2, MODE = 0644 };
    char full[MAX_PATH];
    if (!full_path(full, path, "", error))
        return NULL;
    long descriptor = system_call3(SYS_OPEN, (long)full, flags, MODE);
    if (descriptor < 0) {
        error_set(error, "%s cannot be opened (error %ld).", full, -descriptor);
        return NULL;
    }
    long size = system_call3(SYS_LSEEK, descriptor, 0, SEEK_TO_END);
    struct file *file = size < 0 ? NULL : malloc(sizeof *file);
    if (!file) {
        system_call3(SYS_CLOSE, descriptor, 0, 0);
        error_set(error, size < 0 ? "%s is not a file." : "No memory to open %s.", full);
        return NULL;
    }
    *file = (struct file){(int)descriptor, (uint64_t)size};
    return file;
}

struct file *file_open(const char *path, struct error *error) {
    return open_file(path, 0, error);
}

struct file *file_open_writable(const char *path, struct error *error) {
    enum { READ_WRITE_CREATE = 02 | 0100 };
    return open_file(path, READ_WRITE_CREATE, error);
}

uint64_t file_size(const struct file *file) {
    return file->size;
}

bool file_read(struct file *file, uint64_t offset, void *buffer, size_t size, struct error *error) {
    for (size_t done = 0; done < size;) {
        long got = system_call(SYS_PREAD64, file->descriptor, (long)((char *)buffer + done),
                               (long)(size - done), (long)(offset + done), 0, 0);
        if (got < 0)
            return error_set(error, "A file cannot be read (error %ld).", -got);
        if (got == 0)
            return error_set(error, "A file ended while it was read.");
        done += (size_t)got;
    }
    return true;
}

void file_close(struct file *file) {
    system_call3(SYS_CLOSE, file->descriptor, 0, 0);
    free(file);
}

bool file_write(struct file *file, uint64_t offset, const void *bytes, size_t size,
                struct error *error) {
    for (size_t done = 0; done < size;) {
        long written =
            system_call(SYS_PWRITE64, file->descriptor, (long)((const char *)bytes + done),
                        (long)(size - done), (long)(offset + done), 0, 0);
        if (written <= 0)
            return error_set(error, "A file cannot be written (error %ld).", -written);
        done += (size_t)written;
        if (offset + done > file->size)
            file->size = offset + done;
    }
    return true;
}

bool file_truncate(struct file *file, uint64_t size, struct error *error) {
    if (size > file->size)
        return error_set(error, "A file does not become longer by truncation.");
    long result = system_call3(SYS_FTRUNCATE, file->descriptor, (long)size, 0);
    if (result < 0)
        return error_set(error, "A file cannot be cut (error %ld).", -result);
    file->size = size;
    return file_flush(file, error);
}

bool file_flush(struct file *file, struct error *error) {
    long result = system_call3(SYS_FSYNC, file->descriptor, 0, 0);
    return result >= 0 || error_set(error, "A file cannot be flushed (error %ld).", -result);
}

/* Writes a new file beside the old one and renames it (rename(2): atomic). */
bool file_replace(const char *path, const void *bytes, size_t size, struct error *error) {
    enum { WRITE_CREATE_TRUNCATE = 01 | 0100 | 01000, MODE = 0644 };
    char full[MAX_PATH], temporary[MAX_PATH];
    if (!full_path(full, path, "", error) || !full_path(temporary, path, ".new", error))
        return false;
    long descriptor = system_call3(SYS_OPEN, (long)temporary, WRITE_CREATE_TRUNCATE, MODE);
    if (descriptor < 0)
        return error_set(error, "%s cannot be made (error %ld).", temporary, -descriptor);
    long result = 0;
    for (size_t done = 0; done < size && result >= 0; done += (size_t)result)
        result = system_call3(SYS_WRITE, descriptor, (long)((const char *)bytes + done),
                              (long)(size - done));
    if (result >= 0)
        result = system_call3(SYS_FSYNC, descriptor, 0, 0);
    system_call3(SYS_CLOSE, descriptor, 0, 0);
    if (result >= 0)
        result = system_call3(SYS_RENAME, (long)temporary, (long)full, 0);
    return result >= 0 || error_set(error, "%s cannot be written (error %ld).", full, -result);
}

bool file_delete(const char *path, struct error *error) {
    char full[MAX_PATH];
    if (!full_path(full, path, "", error))
        return false;
    long result = system_call3(SYS_UNLINK, (long)full, 0, 0);
    return result == 0 || error_set(error, "%s cannot be deleted (error %ld).", full, -result);
}

/* ---- Files of the program's own: rename(2) does what two generations are for ---- */

uint8_t *generation_read(const char *path, size_t limit, size_t *size, struct error *error) {
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

bool generation_write(const char *path, const void *bytes, size_t size, struct error *error) {
    return file_replace(path, bytes, size, error);
}

/* ---- A disk that fails ---- */

bool files_stopped(void) {
    return false;
}

void files_resume(void) {
    /* Nothing stops here. */
}
