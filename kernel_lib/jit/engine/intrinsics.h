/*
 * Intrinsics written out, for the interpreter.
 */
#pragma once
#include "kernel_lib/jit/engine/native_call.h"
#include "kernel_lib/jit/engine/program.h"
#include "llvm/IR/IntrinsicInst.h"

namespace jit {

/* Replaces the intrinsic by ordinary instructions and calls of host symbols. Returns false when the
 * intrinsic is not known here. */
bool write_out_intrinsic(llvm::IntrinsicInst &intrinsic, NativeCalls &calls, Program &program);

/* The same for intrinsics that compute an integer from integers (intrinsic_integers.cpp): their
 * value, or nullptr. */
llvm::Value *write_out_integers(llvm::IRBuilderBase &builder, llvm::IntrinsicInst &intrinsic);

} // namespace jit
