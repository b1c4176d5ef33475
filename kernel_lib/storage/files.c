/*
 * runtime.h's files on the bare machine: the FAT partition that storage.c
 * has mounted.
 */
#include "files.h"
#include "kernel_lib/needs.h"
#include "kernel_lib/platform/bare/power_session.h"
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/disk.h"
#include "kernel_lib/storage/fat/fat.h"

NEEDS(disk_start);
NEEDS(disk_choose_kernel);

static struct fat volume;
static bool is_mounted;
static struct error no_volume = {"Storage has not been started."};
static bool is_stopped;

bool files_mount(struct block_device *device, uint64_t first_sector, uint64_t sector_count,
                 struct error *error) {
    if (is_mounted)
        fat_unmount(&volume);
    is_stopped = false;
    is_mounted = fat_mount(&volume, device, first_sector, sector_count, error);
    return is_mounted;
}

void files_unmount(const struct error *reason) {
    if (is_mounted)
        fat_unmount(&volume);
    is_mounted = false;
    no_volume = *reason;
}

bool files_ready(struct error *error) {
    if (!is_mounted)
        *error = no_volume;
    return is_mounted;
}

struct file *file_open(const char *path, struct error *error) {
    if (!files_ready(error))
        return NULL;
    struct file *file = calloc(1, sizeof *file);
    if (!file) {
        error_set(error, "No memory to open %.80s.", path);
        return NULL;
    }
    if (fat_open(&volume, path, &file->disk.contents, error))
        return file;
    free(file);
    return NULL;
}

uint64_t file_size(const struct file *file) {
    uint64_t size = file->disk.contents.size;
    return file->end > size ? file->end : size;
}

bool file_read(struct file *file, uint64_t offset, void *buffer, size_t size, struct error *error) {
    bool is_put_out = file->begin == file->end || offset > file->end ||
                      offset + size <= file->begin || file->writing->put_out(file, error);
    return is_put_out && fat_read(&volume, &file->disk.contents, offset, buffer, size, error);
}

void file_close(struct file *file) {
    struct error ignored;
    if (!file)
        return;
    if (file->writing)
        file->writing->flush(file, &ignored);
    fat_close(&file->disk.contents);
    free(file->window);
    free(file);
}

bool files_by_guest(const struct file *file) {
    return file->disk.contents.by_guest;
}

/* ---- Writing ---- */

bool files_can_flush(void) {
    return is_mounted && volume.device->can_flush;
}

bool files_stopped(void) {
    return is_stopped;
}

void files_resume(void) {
    is_stopped = false;
}

struct fat *files_begin_writing(struct error *error) {
    if (!files_ready(error))
        return NULL;
    if (is_stopped) {
        error_set(error, "The disk has failed before.");
        return NULL;
    }
    if (!volume.device->can_flush && power_session_is_old())
        volume.keep_lost = true;
    volume.device->has_failed = false;
    return &volume;
}

bool files_end_writing(bool done) {
    is_stopped = !done && volume.device->has_failed;
    return done;
}

bool file_replace(const char *path, const void *bytes, size_t size, struct error *error) {
    struct fat *fs = files_begin_writing(error);
    return fs && files_end_writing(fat_replace(fs, path, bytes, size, error));
}

bool file_delete(const char *path, struct error *error) {
    struct fat *fs = files_begin_writing(error);
    return fs && files_end_writing(fat_delete(fs, path, error));
}

bool files_list(const char *path, fat_visitor *visit, void *context, struct error *error) {
    return files_ready(error) && fat_list(&volume, path, visit, context, error);
}

bool files_free_bytes(uint64_t *bytes, struct error *error) {
    struct fat *fs = files_begin_writing(error);
    return fs && files_end_writing(fat_free_bytes(fs, bytes, error));
}
