/*
 * kernel_lib's C interface for the engine's C++: the headers of the C library come first, so that
 * none of their C++ ends up inside extern "C".
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern "C" {
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/jit/function.h"
#include "kernel_lib/runtime.h"
}
