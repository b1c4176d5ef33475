/*
 * What a profile says, put into the application before it is compiled as a whole: the same choices
 * that the JIT has made for single functions.
 */
#pragma once
#include "kernel_lib/jit/engine/bitcode.h"
#include "llvm/Support/Error.h"
#include <string>

namespace jit {

/* The symbol that says what a kernel was made from. */
inline constexpr char MADE_FROM[] = "made_from";
/* Where the application begins. */
inline constexpr char APP_MAIN[] = "app_main";

/* What was put in, as the symbol made_from has it (kernel_lib/life/made_from.h). */
struct Learnt {
    std::string build, features, model, choices;
    uint64_t boots = 0, functions = 0, hot = 0, clones = 0, chosen = 0;
};

/* Changes the module as the profile (the text of /profile/JIT.PRF) says:
 *  - hot functions have the code of the alternative that was fastest, with the codegen options that
 *    were, and clones for frequent argument values; all that has changed is marked hot;
 *  - those that were never called are cold: blocks that call them are unlikely, and they are
 *    compiled for size, as are those that took little time;
 *  - the symbol made_from is defined, for the kernel.
 * An error when the text is damaged or has functions that the application has not. */
llvm::Expected<Learnt> apply_profile(const Bitcode &bitcode, llvm::StringRef text);

} // namespace jit
