/*
 * The FAT16 and FAT32 file systems over a block device: reading, and replacing a file so
 * that a power cut leaves the old one or the new one. After Microsoft's "FAT:
 * General Overview of On-Disk Format", version 1.03 (fatgen103).
 *
 * Paths are UTF-8, parts separated by "/", compared without regard to the case
 * of ASCII letters with both the long (VFAT) and the short (8.3) name.
 *
 * Memory: about 12 KiB in struct fat, 8 bytes for each fragment of an open
 * file and, from the first replacement on, one bit for each cluster (64 KiB for
 * 32 GiB in clusters of 64 KiB).
 */
#pragma once
#include "kernel_lib/storage/block.h"

/* The directory of files that only the guest writes; what damages them is repaired. */
#define FAT_OWN_DIRECTORY "/profile"

#define FAT_WINDOW_SECTORS 16
#define FAT_CACHE_SECTORS 8

/* A mounted file system. The members are for the fat_*.c files only. */
struct fat {
    struct block_device *device;

    /* Layout. Sectors count from the start of the device, clusters from 2 to cluster_limit - 1. */
    uint64_t table_sector;  /* of the first FAT */
    uint64_t root_sector;   /* FAT16 */
    uint64_t info_sector;   /* FAT32: FSInfo; 0: there is none */
    uint64_t data_sector;   /* of cluster 2 */
    uint32_t table_sectors; /* of one FAT */
    uint32_t table_copies;
    uint32_t root_sectors; /* FAT16 */
    uint32_t root_cluster; /* FAT32, where the root directory is a chain; 0: FAT16 */
    uint32_t cluster_sectors;
    uint32_t cluster_size; /* bytes */
    uint32_t cluster_limit;
    uint32_t end_mark; /* ends a chain in the FAT; has every bit of an entry that is not reserved */

    /* The part of the FAT in memory. Changed sectors are [dirty_begin, dirty_end). */
    uint32_t window_first; /* sector within the FAT */
    uint32_t window_count; /* 0: none */
    uint32_t dirty_begin, dirty_end;
    _Alignas(64) union {
        uint8_t bytes[FAT_WINDOW_SECTORS * BLOCK_SECTOR_SIZE];
        uint16_t entries16[FAT_WINDOW_SECTORS * BLOCK_SECTOR_SIZE / 2];
        uint32_t entries32[FAT_WINDOW_SECTORS * BLOCK_SECTOR_SIZE / 4];
    } window;

    /* Sectors read last for directories and for parts of sectors. */
    uint64_t cache_first;
    uint32_t cache_count; /* 0: none */
    _Alignas(64) uint8_t cache[FAT_CACHE_SECTORS * BLOCK_SECTOR_SIZE];

    /* One bit a cluster, 1 = taken; NULL until the first replacement and after a failed one. */
    uint8_t *used;
    uint32_t free_clusters;
    uint32_t discards; /* how often the map has been given up because a write failed */
    /* Clusters that belong to no file stay taken: on a device without flush, a file that lost them
     * since power came on may have them again after a power cut. */
    bool keep_lost;
};

/* A run of consecutive clusters of a file. */
struct fat_extent {
    uint32_t cluster; /* the first one */
    uint32_t end;     /* clusters of the file up to the run's last one */
};

struct fat_file {
    uint32_t size;
    bool by_guest; /* fat_replace or fat_reserve wrote it, and nobody else since */
    uint32_t extent_count;
    struct fat_extent *extents;
};

/* Mounts the file system in sector_count sectors of the device from first_sector on; false with
 * *error when they hold no FAT16 or FAT32, or a damaged one. */
bool fat_mount(struct fat *fs, struct block_device *device, uint64_t first_sector,
               uint64_t sector_count, struct error *error);
/* Frees what the file system holds. Files must have been closed. */
void fat_unmount(struct fat *fs);

/* Opens a file for reading. Checks its cluster chain against its size. */
bool fat_open(struct fat *fs, const char *path, struct fat_file *file, struct error *error);
/* Reads exactly size bytes at offset. Whole sectors go straight into buffer, one transfer for each
 * fragment of the file. */
bool fat_read(struct fat *fs, const struct fat_file *file, uint64_t offset, void *buffer,
              size_t size, struct error *error);
void fat_close(struct fat_file *file);

/*
 * Makes the file system ready for writing, once after a mount: walks the whole tree, frees lost
 * clusters, makes the copies of the FAT equal and marks FAT32's count of free clusters as unknown,
 * which nothing written later can make wrong. A file of the guest's own (in
 * FAT_OWN_DIRECTORY, or written by fat_replace before) whose chain is damaged becomes empty;
 * damage in any other file is an error, and a damaged tree is never written to.
 */
bool fat_prepare(struct fat *fs, struct error *error);

/*
 * Replaces the contents of the file, or makes it; a new name must be 8.3 and
 * its directory must exist. The file must not be open. Order of writes, with a flush of the
 * device after each step:
 *   1. the data, into free clusters, and their chain, into every copy of the FAT (in any order:
 *      nothing leads there yet);
 *   2. one sector of the directory: first cluster and size change together;
 *   3. the old chain is freed.
 * A cut before 2 leaves the old file, a cut after it the new one; either may
 * leave clusters that belong to no file, which the next fat_prepare frees.
 *
 * A device without flush may bring any part of this to its medium. There step 3 is left out and no
 * cluster is used that had an owner since power came on, so that after a cut every file that was
 * not written is whole; this one is old, new, or damaged in a way that fat_prepare repairs.
 */
bool fat_replace(struct fat *fs, const char *path, const void *bytes, size_t size,
                 struct error *error);
/* The same with size bytes of undefined contents, for fat_overwrite. */
bool fat_reserve(struct fat *fs, const char *path, size_t size, struct error *error);

/*
 * Deletes a file that fat_replace has written, and nobody else since. The directory entry comes
 * first: a cut leaves the file, or clusters that belong to none. On a device without flush the
 * clusters stay taken until power has been off, as those of a replaced file do.
 */
bool fat_delete(struct fat *fs, const char *path, struct error *error);

/* Calls visit for every file in the directory, with its 8.3 name ("0001.KRN"), its size, and
 * whether fat_replace or fat_reserve wrote it, and nobody else since. */
typedef void fat_visitor(void *context, const char *name, uint32_t size, bool by_guest);
bool fat_list(struct fat *fs, const char *path, fat_visitor *visit, void *context,
              struct error *error);

/* The bytes in clusters that are free now. */
bool fat_free_bytes(struct fat *fs, uint64_t *bytes, struct error *error);

/* Writes size bytes at offset (a multiple of 512) into an open file, in place; the rest of their
 * last sector becomes zeros. Nothing else on the disk changes and nothing is flushed. Needs
 * fat_prepare: a file that shares clusters must not be written to. */
bool fat_overwrite(struct fat *fs, const struct fat_file *file, uint32_t offset, const void *bytes,
                   size_t size, struct error *error);

/*
 * An open file that is changed in place. What is written goes straight to its sectors, and clusters
 * that it grows by are linked in the FAT; fat_writable_flush brings both to the medium, and then
 * the directory entry with the new size. A power cut before that leaves the old size, and in the
 * old part of the file each sector that was written since the last flush as it was or as it was
 * written. The chain may go on behind what the size needs, for which fat_open does not mind and
 * which fat_prepare cuts. On a device without flush a power cut may also leave the file empty.
 */
struct fat_writable {
    struct fat_file contents;
    uint64_t entry_sector;
    uint32_t entry_offset;
    uint32_t size_on_disk;
    uint32_t discards; /* the file system's when it was opened */
};

/* Opens a file, or makes an empty one, whose name must be 8.3. It must not be open otherwise. From
 * now on it counts as written by the guest. fat_close closes its contents. */
bool fat_writable_open(struct fat *fs, const char *path, struct fat_writable *file,
                       struct error *error);
/* Writes size bytes at offset, a multiple of 512 up to the file's size; the rest of their last
 * sector becomes zeros. */
bool fat_writable_write(struct fat *fs, struct fat_writable *file, uint32_t offset,
                        const void *bytes, size_t size, struct error *error);
bool fat_writable_flush(struct fat *fs, struct fat_writable *file, struct error *error);
/* Makes the file shorter, and flushes: the directory entry before its clusters are freed. */
bool fat_writable_truncate(struct fat *fs, struct fat_writable *file, uint32_t size,
                           struct error *error);
