/*
 * How much of the time each function took in a profile.
 */
#pragma once
#include "kernel_lib/jit/export/profile_reader.h"

namespace jit {

enum class Temperature { cold, warm, hot }; /* never called; took little time; took much of it */

/* The time of all calls of a function, in cycles, with what they called, had they been as long as
 * those on the highest level that was timed. */
double cost(const jit_history &history);
/* The most that a function has which is often called. */
double most_cost(const ProfileReader &profile);

/* The temperature of each function. Functions that a hot one calls often are hot, too: compiled
 * into it, they were not counted. Empty when the profile says nothing of any function. */
std::vector<Temperature> temperatures(const ProfileReader &profile,
                                      llvm::ArrayRef<llvm::Function *> functions);

/* Tells the compiler: cold code is kept apart from hot code, and code that is not hot is compiled
 * for size. Functions for other instruction sets than the program's are not: another CPU may choose
 * them. */
void mark(llvm::Function &function, Temperature temperature);

} // namespace jit
