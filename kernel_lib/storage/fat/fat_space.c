#include "fat_internal.h"
#include <stdlib.h>
#include <string.h>

bool fat_space_is_used(const struct fat *fs, uint32_t cluster) {
    return fs->used[cluster / 8] >> (cluster % 8) & 1;
}

void fat_space_mark(struct fat *fs, uint32_t cluster, bool used) {
    if (used == fat_space_is_used(fs, cluster))
        return;
    fs->used[cluster / 8] ^= (uint8_t)(1u << (cluster % 8));
    if (used)
        fs->free_clusters--;
    else
        fs->free_clusters++;
}

uint32_t fat_space_next_free(const struct fat *fs, uint32_t cluster) {
    while (fat_space_is_used(fs, cluster))
        cluster++;
    return cluster;
}

uint32_t fat_space_choose(const struct fat *fs, uint32_t count) {
    uint32_t run = 0;
    for (uint32_t cluster = 2; cluster < fs->cluster_limit; cluster++) {
        run = fat_space_is_used(fs, cluster) ? 0 : run + 1;
        if (run == count)
            return cluster - run + 1;
    }
    return fat_space_next_free(fs, 2);
}

void fat_space_discard(struct fat *fs) {
    fs->discards++;
    free(fs->used);
    fs->used = NULL;
    fs->window_count = 0;
    fs->dirty_begin = fs->dirty_end = 0;
    fs->cache_count = 0;
}

/* ---- The walk through the tree ---- */

/* The directories found so far, by first cluster; 0 is the root. A list, not recursion: the stack
 * is small and a tree may be deep. */
struct directories {
    uint32_t *clusters;
    size_t count, room;
    uint32_t own; /* FAT_OWN_DIRECTORY; UINT32_MAX: there is none */
};

static bool directories_add(struct directories *list, uint32_t cluster, struct error *error) {
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 16;
        uint32_t *grown = realloc(list->clusters, room * sizeof *grown);
        if (!grown)
            return error_set(error, "No memory for the check of the file system.");
        list->clusters = grown;
        list->room = room;
    }
    list->clusters[list->count++] = cluster;
    return true;
}

static bool damaged_entry(const struct fat_entry *entry, const char *what, struct error *error) {
    return error_set(error,
                     "The file system is damaged, so nothing is written to it: %.8s.%.3s %s. "
                     "Repair it with fsck.fat or write the image again.",
                     (const char *)entry->name, (const char *)entry->name + 8, what);
}

/* Marks the chain of a file or directory as used, as far as it is whole; *damage says what is wrong
 * with it, or is NULL. A cluster met for the second time means a loop or two chains that share
 * clusters: freeing one would destroy the other. own: it is a file of the guest's; behind the
 * clusters that its size needs its chain is cut, because it was growing when the power was cut. */
static bool claim_chain(struct fat *fs, const struct fat_entry *entry, bool own,
                        const char **damage, struct error *error) {
    uint32_t cluster = fat_entry_cluster(fs, entry), count = 0;
    uint32_t needed = fat_clusters_for(fs, entry->size);
    *damage = NULL;
    if (cluster != 0 && !fat_is_cluster(fs, cluster))
        *damage = "begins at a cluster that does not exist";
    while (cluster != 0 && !*damage) {
        uint32_t next;
        if (fat_space_is_used(fs, cluster)) {
            *damage = "shares clusters with another file or with itself";
            break;
        }
        fat_space_mark(fs, cluster, true);
        count++;
        if (!fat_table_get(fs, cluster, &next, error))
            return false;
        if (own && count == needed && !fat_is_last(fs, next)) {
            next = fs->end_mark;
            if (!fat_table_set(fs, cluster, next, error))
                return false;
        }
        cluster = fat_is_last(fs, next) ? 0 : next;
        if (cluster == next && !fat_is_cluster(fs, next))
            *damage = "has a cluster chain that leads to a number which is no cluster";
    }
    if (!*damage && (entry->attributes & FAT_DIRECTORY ? count == 0 : count != needed))
        *damage = "has a cluster chain that does not fit its size";
    return true;
}

/* Whether an entry is "." or "..", which name a directory's own clusters and its parent's: those
 * are claimed where they belong. Other names may begin with a dot, too. */
static bool is_link(const struct fat *fs, const struct fat_entry *entry) {
    bool named = memcmp(entry->name, ".          ", sizeof entry->name) == 0 ||
                 memcmp(entry->name, "..         ", sizeof entry->name) == 0;
    return named && entry->attributes & FAT_DIRECTORY &&
           (!fat_is_cluster(fs, fat_entry_cluster(fs, entry)) ||
            fat_space_is_used(fs, fat_entry_cluster(fs, entry)));
}

/* Whether it is a file that the guest alone writes, or wrote last: only such files can have been
 * under way when the power was cut. */
static bool is_own(const struct directories *list, uint32_t directory,
                   const struct fat_entry *entry) {
    return !(entry->attributes & FAT_DIRECTORY) &&
           (directory == list->own || fat_is_by_guest(entry));
}

/* Claims the chain of a file of the guest's own. A damaged one becomes empty; what it had stays
 * taken until the next mount, because without flush the entry may come back. */
static bool claim_or_empty(struct fat *fs, const struct fat_cursor *cursor, struct fat_entry *entry,
                           struct error *error) {
    const char *damage;
    if (!claim_chain(fs, entry, true, &damage, error))
        return false;
    if (!damage)
        return true;
    fat_entry_set_cluster(fs, entry, 0);
    entry->size = 0;
    return fat_entry_write(fs, cursor->entry_sector, cursor->entry_offset, entry, error);
}

/* Claims the chains of a directory's files: of the guest's own, or of the others and of
 * subdirectories, which join the list. */
static bool claim_directory(struct fat *fs, uint32_t first, bool own, struct directories *list,
                            struct error *error) {
    struct fat_cursor cursor;
    struct fat_entry entry;
    enum fat_step step;
    const char *damage;
    fat_cursor_start(fs, &cursor, first);
    while ((step = fat_cursor_next(fs, &cursor, &entry, error)) == FAT_STEP_ENTRY) {
        /* Skipped: deleted entries, labels and long names, "." and "..". */
        if (entry.name[0] == FAT_NAME_DELETED || entry.attributes & FAT_VOLUME_LABEL ||
            is_own(list, first, &entry) != own || is_link(fs, &entry))
            continue;
        if (own) {
            if (!claim_or_empty(fs, &cursor, &entry, error))
                return false;
            continue;
        }
        if (!claim_chain(fs, &entry, false, &damage, error))
            return false;
        if (damage)
            return damaged_entry(&entry, damage, error);
        if (entry.attributes & FAT_DIRECTORY &&
            !directories_add(list, fat_entry_cluster(fs, &entry), error))
            return false;
    }
    return step != FAT_STEP_FAILED;
}

/* Claims FAT32's root directory, which no entry names. */
static bool claim_root(struct fat *fs, struct error *error) {
    const char *damage;
    struct fat_entry root = {.name = "/", .attributes = FAT_DIRECTORY};
    if (fs->root_cluster == 0)
        return true;
    fat_entry_set_cluster(fs, &root, fs->root_cluster);
    return claim_chain(fs, &root, false, &damage, error) &&
           (!damage || damaged_entry(&root, damage, error));
}

/* The guest's own files come last. Where one shares clusters with another file, the other file
 * keeps them. */
static bool claim_tree(struct fat *fs, struct error *error) {
    struct fat_lookup own;
    struct directories list = {.own = UINT32_MAX};
    bool done = claim_root(fs, error) && fat_find(fs, FAT_OWN_DIRECTORY, &own, error) &&
                directories_add(&list, 0, error);
    if (done && own.found && own.entry.attributes & FAT_DIRECTORY)
        list.own = fat_entry_cluster(fs, &own.entry);
    for (size_t i = 0; done && i < list.count; i++)
        done = claim_directory(fs, list.clusters[i], false, &list, error);
    for (size_t i = 0; done && i < list.count; i++)
        done = claim_directory(fs, list.clusters[i], true, &list, error);
    free(list.clusters);
    return done;
}

/* Frees clusters that the FAT has as taken but no file owns, as a cut during a replacement leaves
 * them, and makes the copies of the FAT equal. Clusters marked as bad stay. Without flush, what is
 * freed here is used only after the next mount: then it is known to be free on the medium, and no
 * old link in the FAT can come back. */
static bool reclaim_lost_clusters(struct fat *fs, struct error *error) {
    uint32_t compared = UINT32_MAX; /* the window whose copies have been compared */
    for (uint32_t cluster = 2; cluster < fs->cluster_limit; cluster++) {
        uint32_t value;
        if (!fat_table_get(fs, cluster, &value, error))
            return false;
        if (compared != fs->window_first) {
            compared = fs->window_first;
            if (!fat_table_compare_copies(fs, error))
                return false;
        }
        if (fat_space_is_used(fs, cluster) || value == FAT_CLUSTER_FREE)
            continue;
        bool is_bad = fat_is_bad(fs, value);
        if (!is_bad && !fs->keep_lost && !fat_table_set(fs, cluster, FAT_CLUSTER_FREE, error))
            return false;
        if (is_bad || !fs->device->can_flush)
            fat_space_mark(fs, cluster, true);
    }
    if (!fat_table_sync(fs, error) || !block_flush(fs->device, error))
        return false;
    fs->keep_lost = !fs->device->can_flush;
    return true;
}

/* Nobody may rely on the count of free clusters while files are written. Windows and Linux count
 * them when it is unknown. */
static bool forget_free_count(struct fat *fs, struct error *error) {
    if (fs->info_sector == 0)
        return true;
    uint8_t *sector = fat_cached_sector(fs, fs->info_sector, 1, error);
    if (!sector)
        return false;
    struct fat_info_sector *info = (struct fat_info_sector *)sector;
    if (info->lead_signature != FAT_INFO_LEAD_SIGNATURE || info->signature != FAT_INFO_SIGNATURE ||
        (info->free_clusters == FAT_UNKNOWN && info->next_free == FAT_UNKNOWN))
        return true;
    info->free_clusters = info->next_free = FAT_UNKNOWN;
    return block_write(fs->device, fs->info_sector, 1, sector, error) &&
           block_flush(fs->device, error);
}

bool fat_prepare(struct fat *fs, struct error *error) {
    if (fs->used)
        return true;
    fs->used = calloc((fs->cluster_limit + 7) / 8, 1);
    if (!fs->used)
        return error_set(error, "No memory for the map of the file system's clusters.");
    fs->free_clusters = fs->cluster_limit - 2;
    if (claim_tree(fs, error) && forget_free_count(fs, error) && reclaim_lost_clusters(fs, error))
        return true;
    fat_space_discard(fs);
    return false;
}
