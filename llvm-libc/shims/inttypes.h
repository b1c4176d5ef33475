/* LLVM-libc's printf wants the PRI* macros, which clang's freestanding headers do not have. */
#pragma once
#include <stdint.h>

#include "include/llvm-libc-macros/inttypes-macros.h"
#include "include/llvm-libc-types/imaxdiv_t.h"
