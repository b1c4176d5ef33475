/* What LLVM-libc's streams of the console have in common: there are no positions, and they stay
 * open. */
#pragma once
#include "src/__support/File/file.h"
#include <errno.h>

inline LIBC_NAMESPACE::ErrorOr<off_t> cannot_seek(LIBC_NAMESPACE::File *, off_t, int) {
    return LIBC_NAMESPACE::Error(ESPIPE);
}

inline int stays_open(LIBC_NAMESPACE::File *) {
    return 0;
}
