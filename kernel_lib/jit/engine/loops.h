/*
 * Loops that can be left for better code while they run: on-stack replacement.
 *
 * Code that may be slow counts the rounds of its loops. After JIT_ROUNDS of them it asks
 * jit_note_rounds() (kernel_lib/jit/function.h) whether there is a continuation: a function that
 * goes on from the head of that loop to the end of the call. It finds what it needs in
 * live_values. The slow code returns what the continuation returns.
 */
#pragma once
#include "kernel_lib/jit/function.h"
#include "llvm/IR/Function.h"
#include <vector>

namespace jit {

/* A block where a loop begins, and the values that are computed by then and used from then on:
 * those of its own PHIs, too. */
struct LoopHead {
    llvm::BasicBlock *block;
    std::vector<llvm::Value *> live;
};

/* The heads of the function's loops that can be left, in the order of its blocks. Copies of one
 * function have the same ones. */
std::vector<LoopHead> loop_heads(llvm::Function &function);

/* What code needs to ask. */
struct LoopSymbols {
    llvm::Constant *profile;     /* the function's struct jit_function */
    llvm::Constant *note_rounds; /* jit_note_rounds */
    llvm::Constant *live_values;
};

/* Lets the function count the rounds of its loops and ask. */
void add_loop_checks(llvm::Function &function, const LoopSymbols &symbols);

/* Makes a function without arguments that goes on from this head of those that loop_heads() finds
 * in body. Of body nothing is left. */
llvm::Function &make_continuation(llvm::Function &body, size_t head, llvm::Constant *memory);

/* The values for the continuation, until it has begun. */
inline constexpr size_t LIVE_BYTES = 4096;
inline constexpr size_t LIVE_ALIGNMENT = 64;
extern char live_values[LIVE_BYTES];

/* The symbols by which compiled code names them. */
inline constexpr char LIVE_VALUES_SYMBOL[] = "jit_live_values";
inline constexpr char NOTE_ROUNDS_SYMBOL[] = "jit_note_rounds";

} // namespace jit
