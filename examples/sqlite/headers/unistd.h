/* What SQLite's speed test needs of it. */
#pragma once
#include <stdio.h>

static inline int unlink(const char *path) {
    return remove(path);
}
