/* Whether there is memory for work of the compiler's that cannot be done in parts. */
#pragma once
#include <cstdint>
extern "C" {
#include "kernel_lib/error.h"
}

namespace jit {

/* What native_kernel() takes: 12 MiB were measured (docs/life.md), and applications differ. If the
 * memory ran out within the compiler, it would be given up, and most of what it had allocated would
 * be lost. */
constexpr uint64_t EXPORT_MEMORY = 28 << 20;

/* Whether so many bytes are free; *error says if not. */
bool has_memory(uint64_t bytes, struct error *error);

} // namespace jit
