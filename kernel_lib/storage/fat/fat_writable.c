#include "fat_internal.h"
#include <string.h>

static uint32_t cluster_count(const struct fat_file *file) {
    return file->extent_count ? file->extents[file->extent_count - 1].end : 0;
}

/* The cluster of the file with this number, from 0; there is one. */
static uint32_t cluster_at(const struct fat_file *file, uint32_t number) {
    uint32_t begin = 0;
    const struct fat_extent *extent = file->extents;
    for (; extent->end <= number; extent++)
        begin = extent->end;
    return extent->cluster + (number - begin);
}

static uint32_t first_cluster(const struct fat_file *file) {
    return file->extent_count ? file->extents[0].cluster : 0;
}

/* Puts first cluster, size and the guest's mark into the directory, and flushes. */
static bool write_entry(struct fat *fs, struct fat_writable *file, struct error *error) {
    struct fat_entry entry;
    const uint8_t *sector = fat_cached_sector(fs, file->entry_sector, 1, error);
    if (!sector)
        return false;
    memcpy(&entry, sector + file->entry_offset, sizeof entry);
    fat_entry_set_cluster(fs, &entry, first_cluster(&file->contents));
    entry.size = file->contents.size;
    fat_entry_mark(&entry);
    if (!fat_entry_write(fs, file->entry_sector, file->entry_offset, &entry, error))
        return false;
    file->size_on_disk = entry.size;
    file->contents.by_guest = true;
    return true;
}

/* What the device has failed to write may be on the medium or not. */
static bool done_or_discarded(struct fat *fs, bool done) {
    if (!done)
        fat_space_discard(fs);
    return done;
}

/* Whether what is known of the file holds. */
static bool is_current(const struct fat *fs, const struct fat_writable *file, struct error *error) {
    return file->discards == fs->discards ||
           error_set(error, "The disk has failed since the file was opened.");
}

bool fat_writable_open(struct fat *fs, const char *path, struct fat_writable *file,
                       struct error *error) {
    struct fat_lookup lookup;
    if (!fat_prepare(fs, error) || !fat_find(fs, path, &lookup, error))
        return false;
    if (!lookup.found &&
        (!fat_replace(fs, path, NULL, 0, error) || !fat_find(fs, path, &lookup, error)))
        return false;
    if (lookup.entry.attributes & FAT_READ_ONLY)
        return error_set(error, "%.80s is read-only.", path);
    *file = (struct fat_writable){.entry_sector = lookup.sector,
                                  .entry_offset = lookup.offset,
                                  .size_on_disk = lookup.entry.size,
                                  .discards = fs->discards};
    if (!fat_open(fs, path, &file->contents, error))
        return false;
    /* The mark comes before the first change, because only marked files are repaired. */
    if (file->contents.by_guest || done_or_discarded(fs, write_entry(fs, file, error)))
        return true;
    fat_close(&file->contents);
    return false;
}

/* Adds a cluster to the end of the chain; behind the last one if that is free, where so many more
 * that follow may be as well. */
static bool add_cluster(struct fat *fs, struct fat_file *file, uint32_t more, struct error *error) {
    uint32_t count = cluster_count(file), last = count ? cluster_at(file, count - 1) : 0;
    uint32_t cluster = last + 1;
    if (last == 0 || cluster >= fs->cluster_limit || fat_space_is_used(fs, cluster))
        cluster = fat_space_choose(fs, more);
    fat_space_mark(fs, cluster, true);
    return fat_file_append(file, cluster, error) &&
           fat_table_set(fs, cluster, fs->end_mark, error) &&
           (last == 0 || fat_table_set(fs, last, cluster, error));
}

static bool grow(struct fat *fs, struct fat_file *file, uint32_t size, struct error *error) {
    uint32_t needed = fat_clusters_for(fs, size);
    while (cluster_count(file) < needed)
        if (!add_cluster(fs, file, needed - cluster_count(file), error))
            return false;
    file->size = size;
    return true;
}

bool fat_writable_write(struct fat *fs, struct fat_writable *file, uint32_t offset,
                        const void *bytes, size_t size, struct error *error) {
    struct fat_file *contents = &file->contents;
    if (!is_current(fs, file, error))
        return false;
    if (offset > contents->size || size > UINT32_MAX - offset)
        return error_set(error, "A file of %u bytes cannot be written at %u.", contents->size,
                         offset);
    uint32_t end = offset + (uint32_t)size;
    uint32_t have = cluster_count(contents), needed = fat_clusters_for(fs, end);
    if (needed > have && needed - have > fs->free_clusters)
        return error_set(error, "The disk is full.");
    return done_or_discarded(fs, (end <= contents->size || grow(fs, contents, end, error)) &&
                                     fat_overwrite(fs, contents, offset, bytes, size, error));
}

bool fat_writable_flush(struct fat *fs, struct fat_writable *file, struct error *error) {
    return is_current(fs, file, error) &&
           done_or_discarded(
               fs, fat_table_sync(fs, error) && block_flush(fs->device, error) &&
                       (file->contents.size == file->size_on_disk || write_entry(fs, file, error)));
}

/* Forgets the clusters from this number on, and gives the first of them; 0: there are none. */
static uint32_t forget_clusters(struct fat_file *file, uint32_t kept) {
    if (kept >= cluster_count(file))
        return 0;
    uint32_t cluster = cluster_at(file, kept);
    uint32_t count = 0;
    while (count < file->extent_count && file->extents[count].end < kept)
        count++;
    if (kept > 0)
        file->extents[count++].end = kept;
    file->extent_count = count;
    return cluster;
}

bool fat_writable_truncate(struct fat *fs, struct fat_writable *file, uint32_t size,
                           struct error *error) {
    struct fat_file *contents = &file->contents;
    if (size > contents->size)
        return error_set(error, "A file of %u bytes cannot be cut to %u.", contents->size, size);
    uint32_t kept = fat_clusters_for(fs, size);
    uint32_t rest = forget_clusters(contents, kept);
    contents->size = size;
    if (!fat_writable_flush(fs, file, error))
        return false;
    if (rest == 0)
        return true;
    bool is_cut = kept == 0 || !fs->device->can_flush ||
                  fat_table_set(fs, cluster_at(contents, kept - 1), fs->end_mark, error);
    return done_or_discarded(fs, is_cut && fat_free_chain(fs, rest, error));
}
