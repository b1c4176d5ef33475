/*
 * What the tests of the JIT engine share: a program from LLVM assembly, and kernel_lib on Linux as
 * far as the engine needs it.
 */
#pragma once
#include "kernel_lib/jit/engine/engine.h"
#include "kernel_lib/jit/engine/host_symbols.h"
#include "tests/host/check.h"
#include <string>
#include <vector>

/* The program that this LLVM assembly is, and an engine for it. Once in a process. */
jit::Program &load(const char *assembly, const void *stack_base);

/* The function's profile, and its address. */
jit_function *profile(const char *name);
template <typename Type> Type *address(const char *name) {
    return reinterpret_cast<Type *>(jit::program().find(name)->stub);
}

/* What the engine told the policy and the object cache. */
struct noted_call {
    jit_function *function;
    jit_level level;
};
extern std::vector<noted_call> noted_calls;
extern std::vector<std::vector<uint64_t>> noted_arguments;
struct stored_code {
    const jit_function *function;
    jit_code code;
    std::string object;
};
extern std::vector<stored_code> stored;
extern std::vector<std::string> messages;

/* Where loops that ask go on; the interpreter: nowhere. They ask after a few rounds, not always as
 * many, once they have the profile of a function that has asked. */
extern jit_level continued_at;
extern unsigned continued; /* calls */

/* What is wrong with the platform. */
extern bool no_memory; /* memory_usage() says that nearly all is used */
extern bool no_pages;  /* aligned_alloc() gives none */

/* Overwrites the stack below the caller, where calls that have returned left their addresses. */
void clear_dead_stack();
