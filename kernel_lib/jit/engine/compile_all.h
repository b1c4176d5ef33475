/*
 * Compiles all code that the JIT can ever make, for coverage. What a run compiles depends on the
 * machine's speed, but the application's functions, the levels and the codegen options are known.
 */
#pragma once
#include "kernel_lib/jit/engine/engine.h"
#include "kernel_lib/jit/settings.h"

namespace jit {

/* Compiles every function on every level with all codegen options, general and with clones for
 * frequent argument values, links the code and discards it. By the settings it makes only the
 * code with clones, or none. In each case rehearse_failures() comes first. Events "compile_all"
 * tell its progress. Call it when the application has ended. */
void compile_all(Engine &engine, const struct jit_settings &settings);

/* Gives up two compilations: one in the middle of LLVM, and one with an error that LLVM reports.
 * What that takes must be in a trimmed image, too. */
void rehearse_failures(Program &program);

} // namespace jit
