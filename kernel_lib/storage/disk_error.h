/* What the drivers of disks say; all return false. */
#pragma once
#include "kernel_lib/error.h"
#include <stdint.h>

#define NO_SECTOR UINT64_MAX

/* "The NVMe disk cannot read at sector 5: status 0x281." `action` is "read", or what else it should
 * have done; lba may be NO_SECTOR. */
bool disk_refuses(const char *disk, const char *action, uint64_t lba, unsigned status,
                  struct error *error);

/* It has not ended a command before the deadline. */
bool disk_is_silent(const char *disk, const char *action, struct error *error);

/* It does not even answer to what should make it work again. */
bool disk_is_gone(const char *disk, struct error *error);
