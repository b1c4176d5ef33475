/*
 * Replaces what code cannot have that is compiled function by function and run by one thread:
 * addresses of labels, thread-local variables, aliases.
 */
#pragma once
#include "llvm/IR/Module.h"

namespace jit {

/* The address of a label becomes the label's number within the function, and a jump to one a switch
 * over these numbers: versions and interpreted clones of a function have their labels at different
 * addresses. */
void number_labels(llvm::Module &module);

/* There is one thread: its variables are ordinary ones. */
void share_thread_locals(llvm::Module &module);

/* References to an alias become references to its symbol, which gets the alias's name. `strlen` is
 * an alias of a function with a mangled name. */
void resolve_aliases(llvm::Module &module);

} // namespace jit
