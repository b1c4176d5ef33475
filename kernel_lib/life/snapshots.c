/*
 * The kernels that this machine has written for itself: files /boot/snapshots/NNNN.KRN, an index
 * (snapshot_index.h), and the boot slots by which the loader knows the newest one and its parent.
 *
 * A snapshot is written in three steps, and a power cut between them costs only the new one: its
 * file, the index, the boot slots.
 */
#include "snapshots.h"
#include "boot/kernel_header.h"
#include "kernel_lib/generations.h"
#include "kernel_lib/io/format.h"
#include "kernel_lib/runtime.h"

#define INDEX_PATH BOOT_SNAPSHOTS "INDEX.TXT"
#define INDEX_LIMIT (64u << 10)

static struct snapshot_index snapshots;
static bool is_read;

struct snapshot_index *snapshots_index(void) {
    if (is_read)
        return &snapshots;
    is_read = true;
    size_t size;
    struct error error;
    char *text = (char *)generation_read(INDEX_PATH, INDEX_LIMIT, &size, &error);
    if (!text && error.text[0])
        console_printf("warning: %s begins anew: %s\n", INDEX_PATH, error.text);
    if (text && snapshot_index_parse(&snapshots, text, size) > 0)
        console_printf("warning: %s has lines that are not understood.\n", INDEX_PATH);
    free(text);
    return &snapshots;
}

bool snapshots_write_index(struct error *error) {
    char *text = snapshot_index_format(&snapshots);
    bool written = text ? generation_write(INDEX_PATH, text, strlen(text), error)
                        : error_set(error, "There is no memory for %s.", INDEX_PATH);
    free(text);
    return written;
}

const char *snapshots_name(const char *path) {
    return strrchr(path, '/') + 1;
}

void snapshots_path(char path[BOOT_PATH_SIZE], const char *kernel) {
    const char *folder = snapshot_number(kernel) > 0 ? BOOT_SNAPSHOTS : "/boot/";
    format_into(path, BOOT_PATH_SIZE, "%s%s", folder, kernel);
}

void snapshots_parent(char path[BOOT_PATH_SIZE], const struct snapshot *snapshot) {
    for (size_t steps = snapshots.count; snapshot && steps > 0; steps--) { /* or it is a circle */
        const struct snapshot *parent = snapshot_index_find(&snapshots, snapshot->parent);
        snapshots_path(path, snapshot->parent);
        if ((!parent || snapshot_works(parent)) && file_exists(path))
            return;
        snapshot = parent;
    }
    strcpy(path, BOOT_ROOT);
}

static void format_build(char text[SNAPSHOT_BUILD], const struct kernel_header *header) {
    for (size_t i = 0; i < sizeof header->build_id; i++)
        format_into(text + 2 * i, 3, "%02x", header->build_id[i]);
}

/* The number of the next snapshot. A file without an entry was left by a power cut, or its entry
 * was lost: the loader may know it, so it is not overwritten. */
static unsigned next_number(void) {
    char path[BOOT_PATH_SIZE];
    unsigned number = snapshot_index_next(&snapshots);
    do
        format_into(path, sizeof path, BOOT_SNAPSHOTS "%04u.KRN", number++);
    while (number <= SNAPSHOT_LAST && file_exists(path));
    return number - 1;
}

/* Writes file, index and boot slots. */
static bool write(const struct new_snapshot *new, const char *path, const char *parent,
                  struct error *error) {
    return file_replace(path, new->kernel, new->size, error) && snapshots_write_index(error) &&
           boot_slots_set(path, parent, error);
}

bool snapshots_add(const struct new_snapshot *new, struct error *error) {
    char path[BOOT_PATH_SIZE], parent[BOOT_PATH_SIZE];
    snapshots_index();
    if (!snapshots_make_room(new->size, error))
        return false;
    unsigned number = next_number();
    if (number > SNAPSHOT_LAST)
        return error_set(error, "There are no numbers left for snapshots.");
    struct snapshot *added = snapshot_index_add(&snapshots, number);
    boot_slots_booted(parent);
    snapshots_path(path, added->kernel);
    format_into(added->kind, sizeof added->kind, "%s", new->kind);
    format_into(added->cpu, sizeof added->cpu, "%s", new->features);
    format_into(added->model, sizeof added->model, "%s", new->model);
    format_into(added->parent, sizeof added->parent, "%s", snapshots_name(parent));
    format_into(added->maker, sizeof added->maker, "%s", platform_build_id());
    format_build(added->build, new->kernel);
    added->bytes = (uint32_t)new->size;
    if (write(new, path, parent, error)) {
        console_printf("%s, %s, %zu bytes: the next boot takes it.\n", path, new->kind, new->size);
        return true;
    }
    snapshot_index_remove(&snapshots, added);
    return false;
}

/* The snapshot that was booted, if the index is about it: a file of another build may have been
 * put in its place. */
static struct snapshot *running(void) {
    char booted[BOOT_PATH_SIZE];
    boot_slots_booted(booted);
    struct snapshot *self = snapshot_index_find(snapshots_index(), snapshots_name(booted));
    return self && strcmp(self->build, platform_build_id()) == 0 ? self : NULL;
}

/* Whether the line of parents begins with the kernel that is /boot/BAREFLOW.KRN now. It may have
 * been replaced by a newer one, which is to boot then. True if that is not known. */
static bool goes_back_to_root(const struct snapshot *snapshot) {
    struct kernel_header header;
    struct error ignored;
    char build[SNAPSHOT_BUILD];
    for (size_t steps = snapshots.count; steps > 0 && snapshot_number(snapshot->parent); steps--) {
        snapshot = snapshot_index_find(&snapshots, snapshot->parent);
        if (!snapshot)
            return true;
    }
    if (strcmp(snapshot->parent, snapshots_name(BOOT_ROOT)) != 0)
        return true;
    struct file *file = file_open(BOOT_ROOT, &ignored);
    bool is_read_whole = file && file_read(file, 0, &header, sizeof header, &ignored);
    file_close(file);
    if (!is_read_whole || header.signature != KERNEL_SIGNATURE)
        return true;
    format_build(build, &header);
    return strcmp(snapshot->maker, build) == 0;
}

bool snapshots_fits(const struct snapshot *snapshot, const char *model) {
    size_t length;
    return snapshot_works(snapshot) && !cpu_lacks(snapshot->cpu, &length) &&
           (!model || !snapshot->model[0] || strcmp(snapshot->model, model) == 0) &&
           goes_back_to_root(snapshot);
}

/* The path of the kernel for when `self` (NULL: unknown) does not fit. Only older ones: so each
 * restart comes closer to the first kernel, which fits everything. */
static void other_than(char path[BOOT_PATH_SIZE], const struct snapshot *self, const char *model) {
    for (const struct snapshot *s = self; s && s > snapshots.snapshot;) {
        snapshots_path(path, (--s)->kernel);
        if (snapshots_fits(s, model) && file_exists(path))
            return;
    }
    strcpy(path, BOOT_ROOT);
}

/* The second kernel for when `other` boots in place of this one: its parent, or, where that would
 * be itself, this one, which is better than none. */
static void second_to(char path[BOOT_PATH_SIZE], const char *other, const char *booted) {
    snapshots_parent(path, snapshot_index_find(&snapshots, snapshots_name(other)));
    if (strcmp(path, other) == 0)
        strcpy(path, booted);
}

void snapshots_pass_over(const char *reason, const char *model) {
    char booted[BOOT_PATH_SIZE], newest[BOOT_PATH_SIZE];
    char other[BOOT_PATH_SIZE], second[BOOT_PATH_SIZE];
    struct error error;
    boot_slots_booted(booted);
    boot_slots_newest(newest);
    other_than(other, running(), model);
    bool has_failed = strcmp(other, newest) == 0 && boot_slots_newest_failed();
    if (strcmp(other, booted) == 0 || has_failed)
        return;
    second_to(second, other, booted);
    console_printf("%s %s: %s boots instead.\n", booted, reason, other);
    console_event("{\"event\":\"passed_over\",\"kernel\":\"%s\",\"takes\":\"%s\"}", booted, other);
    if (boot_slots_set(other, second, &error))
        platform_reboot();
    console_printf("warning: %s\n", error.text);
}

void snapshots_check_root(void) {
    const struct snapshot *self = running();
    if (self && !snapshots_chosen_by_hand() && !goes_back_to_root(self))
        snapshots_pass_over("was written for another " BOOT_ROOT, NULL);
}

static bool is_snapshot(const char *path) {
    return snapshot_number(snapshots_name(path)) > 0;
}

/* The newest kernel did not come up, or lacks a function that it needs, and this one, its parent,
 * was booted. It becomes the newest again: it learns, and may write another one. */
static void replace_newest(const char *booted, const char *newest, const char *result,
                           const char *why) {
    char parent[BOOT_PATH_SIZE];
    struct error error;
    struct snapshot *replaced = snapshot_index_find(&snapshots, snapshots_name(newest));
    if (replaced)
        format_into(replaced->result, sizeof replaced->result, "%s", result);
    snapshots_parent(parent, snapshot_index_find(&snapshots, snapshots_name(booted)));
    console_printf("%s %s; %s is the kernel again.\n", newest, why, booted);
    if (!boot_slots_set(booted, parent, &error))
        console_printf("warning: %s\n", error.text);
}

void snapshots_report_success(void) {
    static bool is_reported;
    char booted[BOOT_PATH_SIZE], newest[BOOT_PATH_SIZE];
    struct error error;
    if (is_reported)
        return;
    is_reported = true;
    boot_slots_report_success();
    boot_slots_booted(booted);
    boot_slots_newest(newest);
    if (!is_snapshot(booted) && !is_snapshot(newest)) /* two kernels of the image builder's */
        return;
    struct snapshot *self = running();
    bool is_replaced = boot_slots_newest_failed() || boot_slots_newest_gave_way();
    if (boot_slots_newest_failed())
        replace_newest(booted, newest, "failed", "did not come up");
    else if (is_replaced)
        replace_newest(booted, newest, "missed", "lacks a function that it needs");
    if (self) {
        self->boots++;
        format_into(self->result, sizeof self->result, "good");
    }
    if ((self || is_replaced) && !snapshots_write_index(&error))
        console_printf("warning: %s\n", error.text);
}

bool snapshots_is_next(void) {
    char booted[BOOT_PATH_SIZE], newest[BOOT_PATH_SIZE];
    boot_slots_booted(booted);
    boot_slots_newest(newest);
    return strcmp(booted, newest) == 0;
}

bool snapshots_successor_failed(void) {
    return boot_slots_newest_failed();
}

void snapshots_print(void) {
    char booted[BOOT_PATH_SIZE];
    boot_slots_booted(booted);
    struct snapshot_index *index = snapshots_index();
    for (size_t i = 0; i < index->count; i++) {
        const struct snapshot *s = &index->snapshot[i];
        console_printf("%s  %-8s %9u bytes  parent %-12s  boots %u, %s%s\n", s->kernel, s->kind,
                       s->bytes, s->parent, s->boots, s->result,
                       strcmp(s->kernel, snapshots_name(booted)) == 0 ? "  <- running" : "");
        console_event("{\"event\":\"life\",\"kernel\":\"%s\",\"kind\":\"%s\",\"bytes\":%u,"
                      "\"parent\":\"%s\",\"boots\":%u,\"result\":\"%s\"}",
                      s->kernel, s->kind, s->bytes, s->parent, s->boots, s->result);
    }
    if (index->count == 0)
        console_puts("This disk has no snapshots.\n");
}
