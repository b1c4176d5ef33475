/* What LLVM-libc's streams of the console have in common: there are no positions, and they may lead
 * to a file. */
#pragma once
#include "src/__support/File/file.h"
#include <errno.h>

inline LIBC_NAMESPACE::ErrorOr<off_t> cannot_seek(LIBC_NAMESPACE::File *, off_t, int) {
    return LIBC_NAMESPACE::Error(ESPIPE);
}

/* Where they lead since the program has freopen()ed them; NULL: to the console. */
inline LIBC_NAMESPACE::File *redirected_input, *redirected_output, *redirected_error;

template <LIBC_NAMESPACE::File *&redirected> int close_redirected(LIBC_NAMESPACE::File *) {
    LIBC_NAMESPACE::File *file = redirected;
    redirected = nullptr;
    return file ? file->close() : 0;
}
