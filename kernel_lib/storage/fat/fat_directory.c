#include "fat_internal.h"
#include <string.h>

/* fatgen103: no directory has more entries than a 16-bit number counts. */
#define MAX_DIRECTORY_SIZE (65536u * sizeof(struct fat_entry))

void fat_cursor_start(const struct fat *fs, struct fat_cursor *cursor, uint32_t cluster) {
    memset(cursor, 0, sizeof *cursor);
    cursor->cluster = cluster ? cluster : fs->root_cluster;
    cursor->clusters_left = MAX_DIRECTORY_SIZE / fs->cluster_size;
}

enum fat_step fat_cursor_next(struct fat *fs, struct fat_cursor *cursor, struct fat_entry *entry,
                              struct error *error) {
    bool root = cursor->cluster == 0; /* FAT16's */
    uint32_t sectors = root ? fs->root_sectors : fs->cluster_sectors;
    if (cursor->sector_index == sectors) {
        uint32_t next = 0;
        if (!root && !fat_table_next(fs, cursor->cluster, &next, error))
            return FAT_STEP_FAILED;
        if (next == 0)
            return FAT_STEP_END;
        if (--cursor->clusters_left == 0) {
            error_set(error, "The file system is damaged: a directory's cluster chain is a loop. "
                             "Repair it with fsck.fat or write the image again.");
            return FAT_STEP_FAILED;
        }
        cursor->cluster = next;
        cursor->sector_index = 0;
    }

    uint64_t first = root ? fs->root_sector : fat_cluster_sector(fs, cursor->cluster);
    cursor->entry_sector = first + cursor->sector_index;
    cursor->entry_offset = cursor->offset;
    const uint8_t *sector =
        fat_cached_sector(fs, cursor->entry_sector, sectors - cursor->sector_index, error);
    if (!sector)
        return FAT_STEP_FAILED;
    memcpy(entry, sector + cursor->offset, sizeof *entry);
    cursor->offset += sizeof *entry;
    if (cursor->offset == BLOCK_SECTOR_SIZE) {
        cursor->offset = 0;
        cursor->sector_index++;
    }
    return entry->name[0] == FAT_NAME_END ? FAT_STEP_END_MARK : FAT_STEP_ENTRY;
}

bool fat_entry_write(struct fat *fs, uint64_t sector, uint32_t offset,
                     const struct fat_entry *entry, struct error *error) {
    uint8_t *bytes = fat_cached_sector(fs, sector, 1, error);
    if (!bytes)
        return false;
    memcpy(bytes + offset, entry, sizeof *entry);
    return block_write(fs->device, sector, 1, bytes, error) && block_flush(fs->device, error);
}

/* Looks for the name in lookup->directory. */
static bool find_in_directory(struct fat *fs, const struct fat_name *name,
                              struct fat_lookup *lookup, struct error *error) {
    struct fat_cursor cursor;
    struct fat_match match = {0};
    lookup->found = false;
    fat_cursor_start(fs, &cursor, lookup->directory);
    for (;;) {
        enum fat_step step = fat_cursor_next(fs, &cursor, &lookup->entry, error);
        if (step == FAT_STEP_FAILED)
            return false;
        if (step != FAT_STEP_ENTRY)
            return true;
        if (fat_name_matches(name, &match, &lookup->entry)) {
            lookup->found = true;
            lookup->sector = cursor.entry_sector;
            lookup->offset = cursor.entry_offset;
            return true;
        }
    }
}

bool fat_find(struct fat *fs, const char *path, struct fat_lookup *lookup, struct error *error) {
    struct fat_name name;
    const char *part = path + strspn(path, "/");
    if (*part == '\0')
        return error_set(error, "\"%.80s\" names no file.", path);
    lookup->directory = 0;
    for (;;) {
        size_t size = strcspn(part, "/");
        if (!fat_name_from_text(&name, part, size))
            return error_set(error, "\"%.80s\" is no valid file name.", path);
        if (!find_in_directory(fs, &name, lookup, error))
            return false;
        part += size;
        part += strspn(part, "/");
        if (*part == '\0')
            break;
        if (!lookup->found || !(lookup->entry.attributes & FAT_DIRECTORY))
            return error_set(error, "The directory of %.80s does not exist.", path);
        lookup->directory = fat_entry_cluster(fs, &lookup->entry);
        if (!fat_is_cluster(fs, lookup->directory))
            return error_set(error,
                             "The file system is damaged: a directory on the way to %.80s begins "
                             "at cluster %u, which does not exist.",
                             path, lookup->directory);
    }
    lookup->name_is_short = name.is_short;
    memcpy(lookup->short_name, name.short_name, sizeof lookup->short_name);
    return true;
}

/* An entry's name as text: "0001.KRN". */
static void name_text(char text[13], const struct fat_entry *entry) {
    size_t length = 0;
    for (size_t i = 0; i < sizeof entry->name; i++) {
        if (i == 8 && entry->name[i] != ' ')
            text[length++] = '.';
        if (entry->name[i] != ' ')
            text[length++] = (char)entry->name[i];
    }
    text[length] = '\0';
}

bool fat_list(struct fat *fs, const char *path, fat_visitor *visit, void *context,
              struct error *error) {
    struct fat_lookup directory;
    struct fat_cursor cursor;
    struct fat_entry entry;
    enum fat_step step;
    char name[13];
    if (!fat_find(fs, path, &directory, error))
        return false;
    if (!directory.found || !(directory.entry.attributes & FAT_DIRECTORY))
        return error_set(error, "There is no directory %.80s.", path);
    fat_cursor_start(fs, &cursor, fat_entry_cluster(fs, &directory.entry));
    while ((step = fat_cursor_next(fs, &cursor, &entry, error)) == FAT_STEP_ENTRY) {
        if (entry.name[0] == FAT_NAME_DELETED ||
            entry.attributes & (FAT_VOLUME_LABEL | FAT_DIRECTORY))
            continue;
        name_text(name, &entry);
        visit(context, name, entry.size, fat_is_by_guest(&entry));
    }
    return step != FAT_STEP_FAILED;
}
