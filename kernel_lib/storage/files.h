/*
 * The file system behind runtime.h's file_open and its companions.
 */
#pragma once
#include "block.h"

/* Mounts the FAT16 partition at these sectors of the device in place of the one mounted before. No
 * file may be open. After a failure nothing is mounted. */
bool files_mount(struct block_device *device, uint64_t first_sector, uint64_t sector_count,
                 struct error *error);

/* Unmounts; from then on every file operation fails with this reason. */
void files_unmount(const struct error *reason);
