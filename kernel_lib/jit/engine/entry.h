/*
 * The code around a function's body that counts its calls and times some of them.
 */
#pragma once
#include "kernel_lib/jit/function.h"
#include "llvm/IR/Function.h"

namespace jit {

/* The symbol by which code names the struct jit_function that it belongs to. */
inline constexpr char PROFILE_SYMBOL[] = "jit_this_function";

/* A new local function of body's type, with what body says about the processor and the passing of
 * arguments, but nothing that it promises about effects. */
llvm::Function *make_like(const llvm::Function &body, const llvm::Twine &name);

/* Ends block with a jump to function, which gets the arguments that the block's own function got,
 * and returns to its caller. */
void jump_to(llvm::Function &function, llvm::BasicBlock *block);

/* Adds the function ENTRY_SYMBOL to body's module. It counts the call in the profile and jumps to
 * body; calls whose number has none of the bits of its sample_mask go through
 * jit_note_arguments and jit_note_call. */
void add_entry(llvm::Function &body, jit_level level);

/* The same for a continuation (loops.h), whose call has been counted: it only jumps there. */
void add_jump(llvm::Function &continuation);

} // namespace jit
