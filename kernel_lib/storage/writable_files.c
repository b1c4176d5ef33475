/*
 * runtime.h's files that are changed in place, on the bare machine. Writes that follow each other
 * are put together in memory, so that the disk gets few and large ones, of whole sectors.
 */
#include "files.h"
#include "kernel_lib/runtime.h"

#define WINDOW_BYTES (64 << 10)

/* The window begins at a sector, and has room for the rest of the last one. */
static bool put_out(struct file *file, struct error *error) {
    if (file->begin == file->end)
        return true;
    struct fat *fs = files_begin_writing(error);
    if (!fs)
        return false;
    uint64_t size = file->disk.contents.size, end = file->end;
    uint64_t whole = (end + BLOCK_SECTOR_SIZE - 1) / BLOCK_SECTOR_SIZE * BLOCK_SECTOR_SIZE;
    if (whole > size)
        whole = size > end ? size : end;
    size_t count = (size_t)(whole - file->begin), rest = (size_t)(whole - end);
    bool done =
        fat_read(fs, &file->disk.contents, rest ? end : 0, file->window + count - rest, rest,
                 error) &&
        fat_writable_write(fs, &file->disk, (uint32_t)file->begin, file->window, count, error);
    if (done)
        file->begin = file->end = 0;
    return files_end_writing(done);
}

static const struct file_writing writing = {.put_out = put_out, .flush = file_flush};

struct file *file_open_writable(const char *path, struct error *error) {
    struct fat *fs = files_begin_writing(error);
    if (!fs)
        return NULL;
    struct file *file = calloc(1, sizeof *file);
    if (file)
        file->window = malloc(WINDOW_BYTES + BLOCK_SECTOR_SIZE);
    if (!file || !file->window)
        error_set(error, "No memory to open %.80s.", path);
    else if (files_end_writing(fat_writable_open(fs, path, &file->disk, error)))
        file->writing = &writing;
    if (file && file->writing)
        return file;
    if (file)
        free(file->window);
    free(file);
    return NULL;
}

/* Takes some of the bytes, at least one, which begin at offset, not behind the file's end. Returns
 * how many; 0 with *error. */
static size_t take(struct file *file, uint64_t offset, const uint8_t *bytes, size_t size,
                   struct error *error) {
    bool adjoins = offset >= file->begin && offset <= file->end;
    if ((!adjoins || offset - file->begin >= WINDOW_BYTES) && !put_out(file, error))
        return 0;
    if (file->begin == file->end) {
        size_t before = (size_t)(offset % BLOCK_SECTOR_SIZE);
        if (!file_read(file, offset - before, file->window, before, error))
            return 0;
        file->begin = offset - before;
        file->end = offset;
    }
    size_t at = (size_t)(offset - file->begin);
    size_t count = size < WINDOW_BYTES - at ? size : WINDOW_BYTES - at;
    memcpy(file->window + at, bytes, count);
    if (offset + count > file->end)
        file->end = offset + count;
    return count;
}

bool file_write(struct file *file, uint64_t offset, const void *bytes, size_t size,
                struct error *error) {
    static const uint8_t zeros[BLOCK_SECTOR_SIZE];
    if (!file->writing)
        return error_set(error, "The file was opened to be read.");
    if (offset > UINT32_MAX || size > UINT32_MAX - offset)
        return error_set(error, "A file on FAT ends at 4 GiB.");
    for (uint64_t end; size > 0 && (end = file_size(file)) < offset;) {
        size_t gap = offset - end < sizeof zeros ? (size_t)(offset - end) : sizeof zeros;
        if (take(file, end, zeros, gap, error) == 0)
            return false;
    }
    for (const uint8_t *from = bytes; size > 0;) {
        size_t count = take(file, offset, from, size, error);
        if (count == 0)
            return false;
        from += count;
        offset += count;
        size -= count;
    }
    return true;
}

bool file_flush(struct file *file, struct error *error) {
    if (!file->writing)
        return true;
    if (!put_out(file, error))
        return false;
    struct fat *fs = files_begin_writing(error);
    return fs && files_end_writing(fat_writable_flush(fs, &file->disk, error));
}

bool file_truncate(struct file *file, uint64_t size, struct error *error) {
    if (!file->writing)
        return error_set(error, "The file was opened to be read.");
    if (size > file_size(file))
        return error_set(error, "A file does not become longer by truncation.");
    if (!put_out(file, error))
        return false;
    struct fat *fs = files_begin_writing(error);
    return fs && files_end_writing(fat_writable_truncate(fs, &file->disk, (uint32_t)size, error));
}
