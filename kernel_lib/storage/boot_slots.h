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
