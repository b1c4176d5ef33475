/*
 * The application's bitcode, made ready to be compiled as one module.
 */
#pragma once
#include "kernel_lib/jit/engine/bitcode.h"
#include "kernel_lib/jit/export/learnt.h"

namespace jit {

/* Lists constructors and destructors where a linker finds them. */
void list_constructors(Bitcode &bitcode);

/* Puts what the profile's text says into the module (learnt.h), lists constructors and destructors
 * where a linker finds them, and makes all but the kernel's symbols, app_main and made_from,
 * local. */
llvm::Expected<Learnt> prepare_application(Bitcode &bitcode, llvm::StringRef profile);

} // namespace jit
