/*
 * The file system behind runtime.h's file_open and its companions.
 */
#pragma once
#include "fat/fat.h"

/* runtime.h's. */
struct file {
    struct fat_writable disk; /* of a file that is only read: its contents */
    /* Of one that is changed in place: the bytes [begin, end) are in window, and not on the disk
     * yet. writing is NULL of a file that is only read. */
    uint64_t begin, end;
    uint8_t *window;
    const struct file_writing *writing;
};

/* What is called through pointers, because most programs that read files change none in place. */
struct file_writing {
    bool (*put_out)(struct file *file, struct error *error); /* writes the window to the disk */
    bool (*flush)(struct file *file, struct error *error);
};

/* Mounts the FAT partition at these sectors of the device in place of the one mounted before. No
 * file may be open. After a failure nothing is mounted. */
bool files_mount(struct block_device *device, uint64_t first_sector, uint64_t sector_count,
                 struct error *error);

/* Whether a flush of the mounted device puts what was written on its medium. */
bool files_can_flush(void);

/* Whether the file was last written by the guest. */
bool files_by_guest(const struct file *file);

/* The file system to write to; NULL with *error when there is none, or when writing has stopped
 * (files_stopped in runtime.h). */
struct fat *files_begin_writing(struct error *error);
/* Ends what files_begin_writing has begun, and returns done, which says how it went. A failure of
 * the device stops all writing. */
bool files_end_writing(bool done);

/* Calls visit for every file in the directory (fat_list). */
bool files_list(const char *path, fat_visitor *visit, void *context, struct error *error);

/* How many bytes are free. */
bool files_free_bytes(uint64_t *bytes, struct error *error);

/* Unmounts; from then on every file operation fails with this reason. */
void files_unmount(const struct error *reason);
