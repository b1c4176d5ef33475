#include "fat_internal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Where the extent begins: clusters of the file before it. */
static uint32_t extent_begin(const struct fat_file *file, uint32_t extent) {
    return extent > 0 ? file->extents[extent - 1].end : 0;
}

/* The extent that this cluster of the file, from 0, is in. */
static uint32_t find_extent(const struct fat_file *file, uint32_t cluster) {
    uint32_t low = 0, high = file->extent_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (file->extents[middle].end <= cluster)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool fat_file_append(struct fat_file *file, uint32_t cluster, struct error *error) {
    if (file->extent_count > 0) {
        struct fat_extent *last = &file->extents[file->extent_count - 1];
        if (cluster == last->cluster + last->end - extent_begin(file, file->extent_count - 1)) {
            last->end++;
            return true;
        }
    }
    /* The array's room is the number of extents rounded up to a power of two. */
    if ((file->extent_count & (file->extent_count - 1)) == 0) {
        uint32_t room = file->extent_count ? 2 * file->extent_count : 1;
        struct fat_extent *grown = realloc(file->extents, room * sizeof *grown);
        if (!grown)
            return error_set(error, "No memory for the list of a file's %u fragments.",
                             file->extent_count);
        file->extents = grown;
    }
    uint32_t end = extent_begin(file, file->extent_count) + 1;
    file->extents[file->extent_count++] = (struct fat_extent){cluster, end};
    return true;
}

/* Follows the chain from first and checks that it has just the clusters that the size needs; a loop
 * shows as a chain that is too long. That of a file of the guest's may go on: it was growing when
 * the power was cut. */
static bool collect_extents(struct fat *fs, struct fat_file *file, uint32_t first, const char *path,
                            struct error *error) {
    uint32_t needed = fat_clusters_for(fs, file->size);
    uint32_t found = 0, cluster = first;
    if (first != 0 && !fat_is_cluster(fs, first))
        return error_set(error, "%.80s is damaged: it begins at cluster %u, which does not exist.",
                         path, first);
    while (cluster != 0 && found < needed) {
        if (!fat_file_append(file, cluster, error) || !fat_table_next(fs, cluster, &cluster, error))
            return false;
        found++;
    }
    if (found == needed && (cluster == 0 || file->by_guest))
        return true;
    return error_set(error,
                     "%.80s is damaged: its size of %u bytes needs %u clusters, but its chain has "
                     "%s. Repair the disk with fsck.fat or write the image again.",
                     path, file->size, needed, cluster ? "more" : "fewer");
}

bool fat_open(struct fat *fs, const char *path, struct fat_file *file, struct error *error) {
    struct fat_lookup lookup;
    if (!fat_find(fs, path, &lookup, error))
        return false;
    if (!lookup.found)
        return error_set(error, "%.80s does not exist.", path);
    if (lookup.entry.attributes & FAT_DIRECTORY)
        return error_set(error, "%.80s is a directory, not a file.", path);
    *file =
        (struct fat_file){.size = lookup.entry.size, .by_guest = fat_is_by_guest(&lookup.entry)};
    if (collect_extents(fs, file, fat_entry_cluster(fs, &lookup.entry), path, error))
        return true;
    fat_close(file);
    return false;
}

void fat_close(struct fat_file *file) {
    free(file->extents);
    *file = (struct fat_file){0};
}

/* Reads size bytes from offset within one run of sectors. */
static bool read_run(struct fat *fs, uint64_t sector, uint64_t sectors, uint64_t offset,
                     uint8_t *buffer, uint64_t size, struct error *error) {
    sector += offset / BLOCK_SECTOR_SIZE;
    sectors -= offset / BLOCK_SECTOR_SIZE;
    size_t skip = offset % BLOCK_SECTOR_SIZE;
    while (size > 0) {
        size_t count;
        if (skip == 0 && size >= BLOCK_SECTOR_SIZE) {
            size_t whole = (size_t)(size / BLOCK_SECTOR_SIZE);
            if (!block_read(fs->device, sector, whole, buffer, error))
                return false;
            sector += whole;
            sectors -= whole;
            count = whole * BLOCK_SECTOR_SIZE;
        } else {
            count = BLOCK_SECTOR_SIZE - skip;
            if (count > size)
                count = (size_t)size;
            const uint8_t *bytes = fat_cached_sector(fs, sector, sectors, error);
            if (!bytes)
                return false;
            memcpy(buffer, bytes + skip, count);
            skip = 0;
            sector++;
            sectors--;
        }
        buffer += count;
        size -= count;
    }
    return true;
}

bool fat_read(struct fat *fs, const struct fat_file *file, uint64_t offset, void *buffer,
              size_t size, struct error *error) {
    if (offset > file->size || size > file->size - offset)
        return error_set(
            error, "The file ends too early: %zu bytes at %" PRIu64 " were wanted, it has %u.",
            size, offset, file->size);
    uint8_t *target = buffer;
    uint64_t left = size;
    uint32_t extent = find_extent(file, (uint32_t)(offset / fs->cluster_size));
    offset -= (uint64_t)extent_begin(file, extent) * fs->cluster_size;
    for (; left > 0; extent++) {
        uint32_t count = file->extents[extent].end - extent_begin(file, extent);
        uint64_t bytes = (uint64_t)count * fs->cluster_size;
        uint64_t part = bytes - offset < left ? bytes - offset : left;
        if (!read_run(fs, fat_cluster_sector(fs, file->extents[extent].cluster),
                      (uint64_t)count * fs->cluster_sectors, offset, target, part, error))
            return false;
        target += part;
        left -= part;
        offset = 0;
    }
    return true;
}
