/*
 * What the kernel tells the loader about itself (boot/boot_slots.h). The calls for it are in
 * kernel_lib/runtime.h: boot_slots_report_success and boot_slots_fall_back.
 */
#pragma once
#include "block.h"
#include "boot/boot_info.h"

/* Says which disk was booted (NULL: there is none to write to) and what the loader knows. The
 * information must stay. */
void boot_slots_start(struct block_device *disk, const struct boot_info *info);

#define BOOT_PATH_SIZE 32
#define BOOT_ROOT "/boot/BAREFLOW.KRN" /* the kernel that the image was built with */
#define BOOT_SNAPSHOTS "/boot/snapshots/"

/* The path of the kernel that was booted, such as "/boot/snapshots/0001.KRN". */
void boot_slots_booted(char path[BOOT_PATH_SIZE]);

/* The path of the kernel that the loader takes first, and of the one that it takes next. */
void boot_slots_newest(char path[BOOT_PATH_SIZE]);
void boot_slots_fallback(char path[BOOT_PATH_SIZE]);

/* Whether a key that was held down at power-on chose this kernel (boot/slots.inc). */
bool boot_slots_picked_by_key(void);

/* Whether another kernel was booted because the newest one did not come up or cannot be loaded. */
bool boot_slots_newest_failed(void);

/* Whether this kernel was booted because the newest one, which works, asked for it
 * (boot_slots_fall_back). */
bool boot_slots_newest_gave_way(void);

/* Makes the kernel at the path `newest` the one that is booted from now on, and the one at
 * `fallback` the one for when that does not come up. Both are in /boot or /boot/snapshots and have
 * 8.3 names in capital letters. It is on the medium when true is returned; false with *error when
 * the disk cannot be written. */
bool boot_slots_set(const char *newest, const char *fallback, struct error *error);
