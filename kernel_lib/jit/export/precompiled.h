/*
 * The build has compiled the application, too (site_scons/site_tools/precompiled.py), each function
 * so that another definition of its name takes its place when a kernel is linked. So the machine
 * compiles only what a profile makes a difference to.
 */
#pragma once
#include "llvm/IR/Module.h"

namespace jit {

/* Whether the module defines the function or variable, and does not only have its value for the
 * passes (available_externally). */
bool is_defined(const llvm::GlobalValue &value);

/* Whether it is one of those that are compiled on the machine: what is hot, among which is all that
 * a profile has changed (learnt.h). */
bool is_compiled(const llvm::Function &function);

/* Leaves code in the module for the functions that are compiled, and for what is inlined into them.
 * All others, and the variables, become references to what the build has compiled of the same
 * bitcode; constants keep their values, for the passes. A compiled function to which the build's
 * code may refer keeps its name for that; no other symbol but app_main and made_from is defined. */
void leave_precompiled(llvm::Module &module);

} // namespace jit
