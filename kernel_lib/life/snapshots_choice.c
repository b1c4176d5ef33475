/*
 * The setting `boot`, by which a person chooses the kernel: "full", "trimmed", "native", or a
 * snapshot's number. A kernel that is not the one which it names makes that one the newest and
 * restarts the machine. If the machine comes back to another kernel although the chosen one is the
 * newest, that one did not come up: nothing is tried a second time.
 */
#include "kernel_lib/io/format.h"
#include "kernel_lib/runtime.h"
#include "snapshots.h"

static bool by_hand;

bool snapshots_chosen_by_hand(void) {
    return by_hand;
}

/* The number that the setting is, as in "0002" or "0002.KRN"; -1: none. 0 is the kernel that the
 * image was built with, as it is of the keys. */
static long number_in(const char *name) {
    char *end;
    if (*name < '0' || *name > '9')
        return -1;
    long number = strtol(name, &end, 10);
    return number <= SNAPSHOT_LAST && (!*end || strcmp(end, ".KRN") == 0) ? number : -1;
}

/* The newest snapshot of this kind that fits. */
static const struct snapshot *newest_of(const char *kind) {
    const struct snapshot_index *index = snapshots_index();
    for (const struct snapshot *s = index->snapshot + index->count; s-- > index->snapshot;)
        if (strcmp(s->kind, kind) == 0 && snapshots_fits(s, NULL))
            return s;
    return NULL;
}

/* Finds the kernel that a name means. NULL, or what is wrong. */
static const char *find(const char *name, char path[BOOT_PATH_SIZE]) {
    long number = number_in(name);
    strcpy(path, BOOT_ROOT);
    if (number == 0 || strcmp(name, "full") == 0)
        return NULL;
    char kernel[SNAPSHOT_NAME];
    if (number > 0) {
        format_into(kernel, sizeof kernel, "%04ld.KRN", number);
    } else {
        const struct snapshot *newest = newest_of(name);
        if (!newest)
            return "there is no such kernel";
        strcpy(kernel, newest->kernel);
    }
    snapshots_path(path, kernel);
    const struct snapshot *snapshot = snapshot_index_find(snapshots_index(), kernel);
    size_t length;
    if (!file_exists(path))
        return "it is not there";
    if (snapshot && !snapshot_works(snapshot))
        return "it did not work before";
    if (snapshot && cpu_lacks(snapshot->cpu, &length))
        return "it needs instructions that this CPU does not have";
    return NULL;
}

static void print_choices(void) {
    const struct snapshot_index *index = snapshots_index();
    console_puts("; there are full");
    for (size_t i = 0; i < index->count; i++)
        console_printf(", %.4s (%s)", index->snapshot[i].kernel, index->snapshot[i].kind);
    console_puts("\n");
}

/* Makes it the newest kernel. That is read back: a disk that only seems to take it would restart
 * the machine for ever. */
static bool make_newest(const char *path, const char *booted, struct error *error) {
    char newest[BOOT_PATH_SIZE];
    if (!boot_slots_set(path, booted, error))
        return false;
    boot_slots_newest(newest);
    return strcmp(newest, path) == 0 || error_set(error, "The disk does not keep the choice.");
}

void snapshots_choose(void) {
    char wanted[BOOT_PATH_SIZE], booted[BOOT_PATH_SIZE], newest[BOOT_PATH_SIZE];
    struct error error;
    const char *name = config_get("boot");
    by_hand = boot_slots_picked_by_key();
    if (by_hand || !name)
        return;
    const char *problem = find(name, wanted);
    boot_slots_booted(booted);
    boot_slots_newest(newest);
    if (!problem && strcmp(wanted, booted) == 0) {
        by_hand = true;
        return;
    }
    if (!problem && strcmp(wanted, newest) == 0)
        problem = "it did not come up";
    if (problem) {
        console_printf("warning: boot = %.40s is not possible: %s", name, problem);
        print_choices();
        return;
    }
    console_printf("boot = %.40s: %s boots.\n", name, wanted);
    if (make_newest(wanted, booted, &error))
        platform_reboot();
    console_printf("warning: %s\n", error.text);
}
