#include "disk_error.h"
#include "deadline.h"
#include <inttypes.h>

bool disk_refuses(const char *disk, const char *action, uint64_t lba, unsigned status,
                  struct error *error) {
    if (lba == NO_SECTOR)
        return error_set(error, "The %s cannot %s: status 0x%02x.", disk, action, status);
    return error_set(error, "The %s cannot %s at sector %" PRIu64 ": status 0x%02x.", disk, action,
                     lba, status);
}

bool disk_is_silent(const char *disk, const char *action, struct error *error) {
    return error_set(error, "The %s does not answer: it could not %s in %d seconds.", disk, action,
                     DEADLINE_SECONDS);
}

bool disk_is_gone(const char *disk, struct error *error) {
    return error_set(error, "The %s is gone: it was removed, or is broken.", disk);
}
