/*
 * The kernels that this machine has written for itself: files /boot/snapshots/NNNN.KRN, an index
 * (snapshot_index.h), and the boot slots by which the loader knows the newest one and its parent.
 *
 * A snapshot is written in three steps, and a power cut between them costs only the new one: its
 * file, the index, the boot slots.
 */
#include "boot/boot_slots.h"
#include "boot/kernel_header.h"
#include "kernel_lib/generations.h"
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/boot_slots.h"
#include "snapshot_index.h"

#define INDEX_PATH BOOT_SNAPSHOTS "INDEX.TXT"
#define INDEX_LIMIT (64u << 10)

static struct snapshot_index snapshots;
static bool is_read;

/* The index as the disk has it. One that cannot be read is one without snapshots: their files stay,
 * and new ones have numbers of their own. */
static struct snapshot_index *read_index(void) {
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

static bool write_index(struct error *error) {
    char *text = snapshot_index_format(&snapshots);
    bool written = text ? generation_write(INDEX_PATH, text, strlen(text), error)
                        : error_set(error, "There is no memory for %s.", INDEX_PATH);
    free(text);
    return written;
}

static const char *file_name(const char *path) {
    return strrchr(path, '/') + 1;
}

/* The path of a kernel by its name; size BOOT_PATH_SIZE. */
static void path_of(char *path, const char *kernel) {
    bool is_snapshot = snapshot_index_find(&snapshots, kernel) != NULL;
    snprintf(path, BOOT_PATH_SIZE, "%s%s", is_snapshot ? BOOT_SNAPSHOTS : "/boot/", kernel);
}

static void copy_build(char text[SNAPSHOT_BUILD], const struct kernel_header *header) {
    for (size_t i = 0; i < sizeof header->build_id; i++)
        snprintf(text + 2 * i, 3, "%02x", header->build_id[i]);
}

static bool exists(const char *path) {
    struct error ignored;
    struct file *file = file_open(path, &ignored);
    if (file)
        file_close(file);
    return file != NULL;
}

static bool exists_as(const char *kernel) {
    char path[BOOT_PATH_SIZE];
    path_of(path, kernel);
    return exists(path);
}

/* The number of the next snapshot. A file without an entry was left by a power cut, or its entry
 * was lost: the loader may know it, so it stays. */
static unsigned next_number(void) {
    char path[BOOT_PATH_SIZE];
    unsigned number = snapshot_index_next(&snapshots);
    do
        snprintf(path, sizeof path, BOOT_SNAPSHOTS "%04u.KRN", number++);
    while (number <= SNAPSHOT_LAST && exists(path));
    return number - 1;
}

bool snapshots_add(const struct new_snapshot *new, struct error *error) {
    char path[BOOT_PATH_SIZE], parent[BOOT_PATH_SIZE];
    struct snapshot_index before = *read_index();
    unsigned number = next_number();
    if (number > SNAPSHOT_LAST)
        return error_set(error, "There are no numbers left for snapshots.");
    struct snapshot *added = snapshot_index_add(&snapshots, number);
    boot_slots_booted(parent);
    path_of(path, added->kernel);
    snprintf(added->kind, sizeof added->kind, "%s", new->kind);
    snprintf(added->cpu, sizeof added->cpu, "%s", new->features);
    snprintf(added->model, sizeof added->model, "%s", new->model);
    snprintf(added->parent, sizeof added->parent, "%s", file_name(parent));
    snprintf(added->maker, sizeof added->maker, "%s", platform_build_id());
    copy_build(added->build, new->kernel);
    added->bytes = (uint32_t)new->size;
    if (file_replace(path, new->kernel, new->size, error) && write_index(error) &&
        boot_slots_set(path, parent, error)) {
        console_printf("%s, %s, %zu bytes: the next boot takes it.\n", path, new->kind, new->size);
        return true;
    }
    snapshots = before;
    return false;
}

static bool fits(const struct snapshot *snapshot, const char *model) {
    size_t length;
    bool is_good =
        strcmp(snapshot->result, "failed") != 0 && strcmp(snapshot->result, "missed") != 0;
    return is_good && !cpu_lacks(snapshot->cpu, &length) &&
           (!model || !snapshot->model[0] || strcmp(snapshot->model, model) == 0);
}

/* The name of the kernel for when `self` does not fit. Only older ones: so each restart comes
 * closer to the first kernel, which fits everything. */
static const char *other_than(const struct snapshot *self, const char *model) {
    for (const struct snapshot *s = self; s > snapshots.snapshot;)
        if (fits(--s, model) && exists_as(s->kernel))
            return s->kernel;
    return file_name(BOOT_ROOT);
}

void snapshots_pass_over(const char *reason, const char *model) {
    char booted[BOOT_PATH_SIZE], other[BOOT_PATH_SIZE], parent[BOOT_PATH_SIZE];
    struct error error;
    read_index();
    boot_slots_booted(booted);
    const struct snapshot *self = snapshot_index_find(&snapshots, file_name(booted));
    path_of(other, self ? other_than(self, model) : file_name(BOOT_ROOT));
    if (strcmp(other, booted) == 0)
        return;
    const struct snapshot *next = snapshot_index_find(&snapshots, file_name(other));
    path_of(parent, next ? next->parent : file_name(BOOT_ROOT));
    console_printf("%s %s: %s boots instead.\n", booted, reason, other);
    console_event("{\"event\":\"passed_over\",\"kernel\":\"%s\",\"takes\":\"%s\"}", booted, other);
    if (boot_slots_set(other, parent, &error))
        platform_reboot();
    console_printf("warning: %s\n", error.text);
}

/* The newest kernel did not come up, or lacks a function that it needs, and this one, its parent,
 * was booted. It becomes the newest again: it learns, and may write another one. */
static void replace_newest(const char *booted, const char *result, const char *why) {
    char newest[BOOT_PATH_SIZE], parent[BOOT_PATH_SIZE];
    struct error error;
    boot_slots_newest(newest);
    struct snapshot *replaced = snapshot_index_find(&snapshots, file_name(newest));
    if (replaced)
        snprintf(replaced->result, sizeof replaced->result, "%s", result);
    struct snapshot *self = snapshot_index_find(&snapshots, file_name(booted));
    path_of(parent, self ? self->parent : file_name(BOOT_ROOT));
    console_printf("%s %s; %s is the kernel again.\n", newest, why, booted);
    if (!boot_slots_set(booted, parent, &error))
        console_printf("warning: %s\n", error.text);
}

void snapshots_report_success(void) {
    static bool is_reported;
    char booted[BOOT_PATH_SIZE];
    struct error error;
    if (is_reported)
        return;
    is_reported = true;
    boot_slots_report_success();
    if (read_index()->count == 0)
        return;
    boot_slots_booted(booted);
    if (boot_slots_newest_failed())
        replace_newest(booted, "failed", "did not come up");
    else if (boot_slots_newest_gave_way())
        replace_newest(booted, "missed", "lacks a function that it needs");
    struct snapshot *self = snapshot_index_find(&snapshots, file_name(booted));
    if (self) {
        self->boots++;
        snprintf(self->result, sizeof self->result, "good");
    }
    if (!write_index(&error))
        console_printf("warning: %s\n", error.text);
}

void snapshots_print(void) {
    char booted[BOOT_PATH_SIZE];
    boot_slots_booted(booted);
    struct snapshot_index *index = read_index();
    for (size_t i = 0; i < index->count; i++) {
        const struct snapshot *s = &index->snapshot[i];
        console_printf("%s  %-8s %9u bytes  parent %-12s  boots %u, %s%s\n", s->kernel, s->kind,
                       s->bytes, s->parent, s->boots, s->result,
                       strcmp(s->kernel, file_name(booted)) == 0 ? "  <- running" : "");
        console_event("{\"event\":\"life\",\"kernel\":\"%s\",\"kind\":\"%s\",\"bytes\":%u,"
                      "\"parent\":\"%s\",\"boots\":%u,\"result\":\"%s\"}",
                      s->kernel, s->kind, s->bytes, s->parent, s->boots, s->result);
    }
    if (index->count == 0)
        console_puts("This disk has no snapshots.\n");
}
