/*
 * Old snapshots give their room to new ones, in the order of their numbers, which is that of their
 * age. What stays: the kernel that runs and the newest one that has worked, each with the parent
 * that boots in its place; the kernels of the boot slots; the first full one; and any file that was
 * not written by the guest. A file without an entry, which a power cut has left, goes like the
 * others.
 *
 * First the index forgets them, then the files are deleted: after a power cut in between they are
 * files without an entry.
 */
#include "kernel_lib/io/format.h"
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/files.h"
#include "snapshots.h"
#include <inttypes.h>

#define RESERVE (1u << 20) /* bytes that are left for other files, if old snapshots have them */

/* What must stay. */
struct kept {
    const char *names[3]; /* may lack an entry */
    char paths[3][BOOT_PATH_SIZE];
    uint32_t entries; /* bits, by place in the index */
};

static void find_kept(struct kept *kept) {
    struct snapshot_index *index = snapshots_index();
    boot_slots_booted(kept->paths[0]);
    boot_slots_newest(kept->paths[1]);
    boot_slots_fallback(kept->paths[2]);
    kept->entries = snapshot_index_kept(index);
    for (int i = 0; i < 3; i++)
        kept->names[i] = snapshots_name(kept->paths[i]);
    snapshot_index_keep(index, kept->names[0], &kept->entries);
}

static bool must_stay(const struct kept *kept, const char *name) {
    for (int i = 0; i < 3; i++)
        if (strcmp(name, kept->names[i]) == 0)
            return true;
    struct snapshot_index *index = snapshots_index();
    const struct snapshot *snapshot = snapshot_index_find(index, name);
    return snapshot && kept->entries >> (snapshot - index->snapshot) & 1;
}

/* The search for the file with the least number above this one that need not stay. */
struct search {
    const struct kept *kept;
    unsigned above;
    unsigned number; /* of what was found; 0: nothing */
    uint32_t size;   /* its bytes */
    char name[SNAPSHOT_NAME];
};

static void visit(void *context, const char *name, uint32_t size, bool by_guest) {
    struct search *search = context;
    unsigned number = snapshot_number(name);
    if (number <= search->above || (search->number > 0 && number > search->number) || !by_guest ||
        must_stay(search->kept, name))
        return;
    search->number = number;
    search->size = size;
    format_into(search->name, sizeof search->name, "%s", name);
}

/* Finds the next one; false with an empty error->text when there is none. */
static bool next_old(struct search *search, struct error *error) {
    search->above = search->number;
    search->number = 0;
    error->text[0] = '\0';
    return files_list(BOOT_SNAPSHOTS, visit, search, error) && search->number > 0;
}

/* Removes the entries whose files are gone. */
static void forget_missing(void) {
    struct snapshot_index *index = snapshots_index();
    for (size_t i = index->count; i-- > 0;) {
        char path[BOOT_PATH_SIZE];
        snapshots_path(path, index->snapshot[i].kernel);
        if (!file_exists(path))
            snapshot_index_remove(index, &index->snapshot[i]);
    }
}

/* Up to which number all that need not stay is to be deleted (0: nothing). False: all of it would
 * not be enough. */
static bool choose(const struct kept *kept, size_t size, unsigned *last, struct error *error) {
    struct search search = {.kept = kept};
    uint64_t free, room;
    bool has_entry = snapshots_index()->count < SNAPSHOTS_MAX;
    *last = 0;
    if (!files_free_bytes(&free, error))
        return false;
    room = free;
    while ((!has_entry || room < (uint64_t)size + RESERVE) && next_old(&search, error)) {
        room += search.size;
        has_entry |= snapshot_index_find(snapshots_index(), search.name) != NULL;
        *last = search.number;
    }
    if (!has_entry)
        return error_set(error, "There are %u snapshots, none of which may be deleted.",
                         SNAPSHOTS_MAX);
    return room >= size || error_set(error,
                                     "The disk is full: the snapshot needs %zu KiB, %" PRIu64
                                     " KiB are free, and %" PRIu64
                                     " KiB would be without the old ones that need not stay.",
                                     size >> 10, free >> 10, room >> 10);
}

/* Removes the entries of what is to be deleted. */
static bool forget_up_to(struct kept *kept, unsigned last, struct error *error) {
    struct search search = {.kept = kept};
    uint32_t forgotten = 0;
    struct snapshot_index *index = snapshots_index();
    while (next_old(&search, error) && search.number <= last) {
        const struct snapshot *snapshot = snapshot_index_find(index, search.name);
        if (snapshot)
            forgotten |= 1u << (snapshot - index->snapshot);
    }
    for (size_t i = index->count; i-- > 0;)
        if (forgotten >> i & 1)
            snapshot_index_remove(index, &index->snapshot[i]);
    find_kept(kept); /* the places have changed */
    return !error->text[0] && snapshots_write_index(error);
}

static bool delete_up_to(const struct kept *kept, unsigned last, struct error *error) {
    struct search search = {.kept = kept};
    while (next_old(&search, error) && search.number <= last) {
        char path[BOOT_PATH_SIZE];
        snapshots_path(path, search.name);
        if (!file_delete(path, error))
            return false;
        console_printf("%s is deleted: a new snapshot takes its room.\n", path);
    }
    return !error->text[0];
}

bool snapshots_make_room(size_t size, struct error *error) {
    struct kept kept;
    unsigned last;
    forget_missing();
    find_kept(&kept);
    return choose(&kept, size, &last, error) &&
           (last == 0 || (forget_up_to(&kept, last, error) && delete_up_to(&kept, last, error)));
}
