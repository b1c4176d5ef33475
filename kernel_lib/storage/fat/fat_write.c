#include "fat_internal.h"
#include <inttypes.h>
#include <string.h>

/* Writes size bytes into the sectors from sector on; the last one is filled up with zeros. */
static bool write_run(struct fat *fs, uint64_t sector, const uint8_t *bytes, size_t size,
                      struct error *error) {
    size_t whole = size / BLOCK_SECTOR_SIZE, rest = size % BLOCK_SECTOR_SIZE;
    fs->cache_count = 0; /* it may hold these sectors */
    if (!block_write(fs->device, sector, whole, bytes, error))
        return false;
    if (rest == 0)
        return true;
    memset(fs->cache, 0, BLOCK_SECTOR_SIZE);
    memcpy(fs->cache, bytes + size - rest, rest);
    return block_write(fs->device, sector + whole, 1, fs->cache, error);
}

/* Writes the data into count free clusters, the first being first, in one transfer for each run. */
static bool write_data(struct fat *fs, uint32_t first, uint32_t count, const uint8_t *bytes,
                       size_t size, struct error *error) {
    uint32_t cluster = first;
    while (count > 0) {
        uint32_t start = fat_space_next_free(fs, cluster), run = 1;
        while (run < count && start + run < fs->cluster_limit &&
               !fat_space_is_used(fs, start + run))
            run++;
        size_t part = (size_t)run * fs->cluster_size;
        if (part > size)
            part = size;
        if (!write_run(fs, fat_cluster_sector(fs, start), bytes, part, error))
            return false;
        bytes += part;
        size -= part;
        count -= run;
        cluster = start + run;
    }
    return true;
}

/* Links the same clusters to a chain in the FAT. They are marked as used on the way. */
static bool write_chain(struct fat *fs, uint32_t first, uint32_t count, struct error *error) {
    uint32_t cluster = first;
    while (count-- > 0) {
        fat_space_mark(fs, cluster, true);
        uint32_t next = count > 0 ? fat_space_next_free(fs, cluster) : fs->end_mark;
        if (!fat_table_set(fs, cluster, next, error))
            return false;
        cluster = next;
    }
    return fat_table_sync(fs, error) && block_flush(fs->device, error);
}

bool fat_free_chain(struct fat *fs, uint32_t cluster, struct error *error) {
    if (!fs->device->can_flush)
        return true;
    while (cluster != 0) {
        uint32_t next;
        if (!fat_table_next(fs, cluster, &next, error) ||
            !fat_table_set(fs, cluster, FAT_CLUSTER_FREE, error))
            return false;
        fat_space_mark(fs, cluster, false);
        cluster = next;
    }
    return fat_table_sync(fs, error) && block_flush(fs->device, error);
}

/* Adds a cluster of unused entries to the directory whose last cluster is last. It is on the disk
 * as zeros before it becomes part of the directory. */
static bool extend_directory(struct fat *fs, uint32_t last, uint32_t *added, struct error *error) {
    uint32_t cluster = fat_space_choose(fs, 1);
    fs->cache_count = 0;
    memset(fs->cache, 0, sizeof fs->cache);
    for (uint32_t i = 0; i < fs->cluster_sectors; i += FAT_CACHE_SECTORS) {
        uint32_t count = fs->cluster_sectors - i;
        if (count > FAT_CACHE_SECTORS)
            count = FAT_CACHE_SECTORS;
        if (!block_write(fs->device, fat_cluster_sector(fs, cluster) + i, count, fs->cache, error))
            return false;
    }
    *added = cluster;
    return write_chain(fs, cluster, 1, error) && fat_table_set(fs, last, cluster, error) &&
           fat_table_sync(fs, error) && block_flush(fs->device, error);
}

/* A directory that must change in two sectors, in order. */
static bool no_safe_room(struct error *error) {
    return error_set(error, "The directory is full, and this way to the disk cannot keep the order "
                            "of writes that making it larger needs: delete a file in it.");
}

/* Finds room for one entry in lookup->directory and leaves its place in lookup. */
static bool find_unused_entry(struct fat *fs, struct fat_lookup *lookup, struct error *error) {
    struct fat_cursor cursor;
    struct fat_entry entry;
    enum fat_step step;
    fat_cursor_start(fs, &cursor, lookup->directory);
    do
        step = fat_cursor_next(fs, &cursor, &entry, error);
    while (step == FAT_STEP_ENTRY && entry.name[0] != FAT_NAME_DELETED);
    if (step == FAT_STEP_FAILED)
        return false;
    lookup->sector = cursor.entry_sector;
    lookup->offset = cursor.entry_offset;

    if (step == FAT_STEP_END_MARK) {
        /* The mark moves on to the next entry, which need not be zero yet. It is set first. */
        step = fat_cursor_next(fs, &cursor, &entry, error);
        if (step == FAT_STEP_FAILED)
            return false;
        if (step == FAT_STEP_ENTRY) {
            if (!fs->device->can_flush && cursor.entry_sector != lookup->sector)
                return no_safe_room(error);
            memset(&entry, 0, sizeof entry);
            return fat_entry_write(fs, cursor.entry_sector, cursor.entry_offset, &entry, error);
        }
    } else if (step == FAT_STEP_END) {
        uint32_t cluster;
        if (cursor.cluster == 0)
            return error_set(error, "The root directory is full: delete a file in it.");
        if (!fs->device->can_flush)
            return no_safe_room(error);
        if (!extend_directory(fs, cursor.cluster, &cluster, error))
            return false;
        lookup->sector = fat_cluster_sector(fs, cluster);
        lookup->offset = 0;
    }
    return true;
}

/* Finds what is to be replaced, or made, and how many clusters it needs. Nothing has changed
 * yet. */
static bool find_to_replace(struct fat *fs, const char *path, uint32_t size,
                            struct fat_lookup *file, uint32_t *count, struct error *error) {
    if (!fat_prepare(fs, error) || !fat_find(fs, path, file, error))
        return false;
    if (file->found && file->entry.attributes & (FAT_DIRECTORY | FAT_READ_ONLY))
        return error_set(error, "%.80s is %s and cannot be replaced.", path,
                         file->entry.attributes & FAT_DIRECTORY ? "a directory" : "read-only");
    if (!file->found && !file->name_is_short)
        return error_set(error,
                         "%.80s cannot be made: the name of a new file must be of the form 8.3, "
                         "such as RESULT.TXT.",
                         path);
    *count = fat_clusters_for(fs, size);
    /* A new file may need one more cluster, for its directory. */
    if (*count + !file->found <= fs->free_clusters)
        return true;
    return error_set(error,
                     "The disk is full: %.80s needs %" PRIu64 " KiB, %" PRIu64 " KiB are free.",
                     path, (uint64_t)*count * fs->cluster_size / 1024,
                     (uint64_t)fs->free_clusters * fs->cluster_size / 1024);
}

/* Writes count clusters, and the directory entry. bytes NULL: their place only. */
static bool replace(struct fat *fs, struct fat_lookup *file, uint32_t count, const uint8_t *bytes,
                    uint32_t size, struct error *error) {
    uint32_t old_chain = 0;
    if (file->found) {
        old_chain = fat_entry_cluster(fs, &file->entry);
    } else {
        if (!find_unused_entry(fs, file, error))
            return false;
        memset(&file->entry, 0, sizeof file->entry);
        memcpy(file->entry.name, file->short_name, sizeof file->entry.name);
        file->entry.attributes = FAT_ARCHIVE;
        file->entry.created_date = FAT_GUEST_DATE;
    }
    uint32_t first = count > 0 ? fat_space_choose(fs, count) : 0;
    fat_entry_set_cluster(fs, &file->entry, first);
    file->entry.size = size;
    fat_entry_mark(&file->entry);
    return (!bytes || write_data(fs, first, count, bytes, size, error)) &&
           write_chain(fs, first, count, error) &&
           fat_entry_write(fs, file->sector, file->offset, &file->entry, error) &&
           fat_free_chain(fs, old_chain, error);
}

/* Finds what is to be deleted. Nothing has changed yet. */
static bool find_to_delete(struct fat *fs, const char *path, struct fat_lookup *file,
                           struct error *error) {
    if (!fat_prepare(fs, error) || !fat_find(fs, path, file, error))
        return false;
    if (!file->found)
        return error_set(error, "%.80s is not there.", path);
    if (file->entry.attributes & FAT_DIRECTORY || !fat_is_by_guest(&file->entry))
        return error_set(error, "%.80s was not written by this machine, so it stays.", path);
    return true;
}

bool fat_delete(struct fat *fs, const char *path, struct error *error) {
    struct fat_lookup file;
    if (!find_to_delete(fs, path, &file, error))
        return false;
    uint32_t chain = fat_entry_cluster(fs, &file.entry);
    file.entry.name[0] = FAT_NAME_DELETED;
    if (fat_entry_write(fs, file.sector, file.offset, &file.entry, error) &&
        fat_free_chain(fs, chain, error))
        return true;
    fat_space_discard(fs);
    return false;
}

bool fat_free_bytes(struct fat *fs, uint64_t *bytes, struct error *error) {
    if (!fat_prepare(fs, error))
        return false;
    *bytes = (uint64_t)fs->free_clusters * fs->cluster_size;
    return true;
}

static bool find_and_replace(struct fat *fs, const char *path, const void *bytes, size_t size,
                             struct error *error) {
    if (size > UINT32_MAX)
        return error_set(error, "%.80s cannot be written: a file on FAT ends at 4 GiB.", path);
    struct fat_lookup file;
    uint32_t count;
    if (!find_to_replace(fs, path, (uint32_t)size, &file, &count, error))
        return false;
    if (replace(fs, &file, count, bytes, (uint32_t)size, error))
        return true;
    fat_space_discard(fs);
    return false;
}

bool fat_replace(struct fat *fs, const char *path, const void *bytes, size_t size,
                 struct error *error) {
    return find_and_replace(fs, path, size ? bytes : NULL, size, error);
}

bool fat_reserve(struct fat *fs, const char *path, size_t size, struct error *error) {
    return find_and_replace(fs, path, NULL, size, error);
}

bool fat_overwrite(struct fat *fs, const struct fat_file *file, uint32_t offset, const void *bytes,
                   size_t size, struct error *error) {
    if (offset % BLOCK_SECTOR_SIZE != 0 || offset > file->size || size > file->size - offset)
        return error_set(error, "A file of %u bytes has no room for %zu at %u.", file->size, size,
                         offset);
    const uint8_t *source = bytes;
    uint64_t begin = 0, place = offset; /* of the extent, and of the next byte, in the file */
    for (const struct fat_extent *extent = file->extents; size > 0; extent++) {
        uint64_t end = (uint64_t)extent->end * fs->cluster_size;
        if (place < end) {
            size_t part = end - place < size ? (size_t)(end - place) : size;
            uint64_t sector =
                fat_cluster_sector(fs, extent->cluster) + (place - begin) / BLOCK_SECTOR_SIZE;
            if (!write_run(fs, sector, source, part, error))
                return false;
            source += part;
            size -= part;
            place += part;
        }
        begin = end;
    }
    return true;
}
