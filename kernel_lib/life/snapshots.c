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

bool snapshots_add(const char *kind, const void *kernel, size_t size, struct error *error) {
    char path[BOOT_PATH_SIZE], parent[BOOT_PATH_SIZE];
    struct snapshot_index before = *read_index();
    unsigned number = next_number();
    if (number > SNAPSHOT_LAST)
        return error_set(error, "There are no numbers left for snapshots.");
    struct snapshot *added = snapshot_index_add(&snapshots, number);
    boot_slots_booted(parent);
    path_of(path, added->kernel);
    snprintf(added->kind, sizeof added->kind, "%s", kind);
    snprintf(added->parent, sizeof added->parent, "%s", file_name(parent));
    snprintf(added->maker, sizeof added->maker, "%s", platform_build_id());
    copy_build(added->build, kernel);
    added->bytes = (uint32_t)size;
    if (file_replace(path, kernel, size, error) && write_index(error) &&
        boot_slots_set(path, parent, error)) {
        console_printf("%s, %s, %zu bytes: the next boot takes it.\n", path, kind, size);
        return true;
    }
    snapshots = before;
    return false;
}

/* The newest kernel did not come up, and this one, its parent, did. It becomes the newest again. */
static void replace_failed(const char *booted) {
    char newest[BOOT_PATH_SIZE], parent[BOOT_PATH_SIZE];
    struct error error;
    boot_slots_newest(newest);
    struct snapshot *failed = snapshot_index_find(&snapshots, file_name(newest));
    if (failed)
        snprintf(failed->result, sizeof failed->result, "failed");
    struct snapshot *self = snapshot_index_find(&snapshots, file_name(booted));
    path_of(parent, self ? self->parent : file_name(BOOT_ROOT));
    console_printf("%s did not come up; %s is the kernel again.\n", newest, booted);
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
        replace_failed(booted);
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
