/*
 * What the files about snapshots share: the index as it is in memory, and where the kernels are.
 * The calls for everyone are in kernel_lib/runtime.h.
 */
#pragma once
#include "kernel_lib/storage/boot_slots.h"
#include "snapshot_index.h"

/* The index as the disk has it, read once. One that cannot be read is one without snapshots: their
 * files stay, and new ones have numbers of their own. */
struct snapshot_index *snapshots_index(void);

/* Writes the index as it is in memory. */
bool snapshots_write_index(struct error *error);

/* The path of a kernel by its name, "0001.KRN" or "BAREFLOW.KRN", and its name by its path. */
void snapshots_path(char path[BOOT_PATH_SIZE], const char *kernel);
const char *snapshots_name(const char *path);

/* The path of the kernel for when this one does not come up: the next of its line of parents that
 * is there and works. NULL: the one that the image was built with. */
void snapshots_parent(char path[BOOT_PATH_SIZE], const struct snapshot *snapshot);

/* Whether it works on this CPU, with the model (NULL: any), and goes back to the kernel that is now
 * /boot/BAREFLOW.KRN. */
bool snapshots_fits(const struct snapshot *snapshot, const char *model);

/* snapshots_old.c: deletes the oldest ones, if need be, so that there is room for an entry and for
 * a file of this size. Nothing is deleted when that would not be enough. */
bool snapshots_make_room(size_t size, struct error *error);

/* snapshots_choice.c: whether a person chose this kernel, by a key or by the setting "boot". */
bool snapshots_chosen_by_hand(void);
