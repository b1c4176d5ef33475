/*
 * Takes out of bitcode what code that is compiled function by function, and run by one thread,
 * cannot have: addresses of labels, thread-local variables, aliases.
 */
#pragma once
#include "llvm/IR/Module.h"

namespace jit {

/* The address of a label becomes its number within the function, and a jump to one a switch over
 * these: versions and interpreted clones of a function have their labels at different places. */
void number_labels(llvm::Module &module);

/* There is one thread: its variables are ordinary ones. */
void share_thread_locals(llvm::Module &module);

/* Whoever refers to an alias refers to what it stands for. `strlen`, an alias of a function with a
 * mangled name, becomes that function's name. */
void resolve_aliases(llvm::Module &module);

} // namespace jit
