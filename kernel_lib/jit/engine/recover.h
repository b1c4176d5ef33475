/*
 * Leaving LLVM when it gives up, or calls a function that the trim has removed.
 */
#pragma once
#include "kernel_lib/jit/engine/program.h"
#include "kernel_lib/jit/successors.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

namespace jit {

/* From now on fatal errors and a lack of memory reach recovering(). Outside of it they end in a
 * panic. */
void recover_from_now_on();

/* Does the work on the program's module. When LLVM gives up in it, finds an error in the module, or
 * calls a removed function, the work does not return, the memory that it holds is lost, and the
 * error has the reason. The module is loaded again before the next work. The work must not call
 * recovering(). */
llvm::Error recovering(Program &program, llvm::function_ref<llvm::Error()> work);

/* Memory that was lost so far. */
uint64_t lost_memory();

/* Call it when the program cannot continue without the work that failed. If the work ever called a
 * removed function, the kernel that has it takes over, and this does not return. */
void hand_over_if_trimmed();

} // namespace jit
