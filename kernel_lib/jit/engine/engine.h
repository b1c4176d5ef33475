/*
 * The engine's part of kernel_lib/jit/function.h and code.h.
 */
#pragma once
#include "kernel_lib/jit/engine/compiler.h"
#include "kernel_lib/jit/engine/versions.h"

namespace jit {

/* From now on functions can be compiled. There is one engine; it is never destroyed. The stack
 * grows down from stack_base; all calls of compiled code are below. */
class Engine {
  public:
    Engine(Program &program, const void *stack_base);

    jit_version *make(jit_function &function, jit_code code);
    jit_version *load(jit_function &function, const jit_code &code, llvm::StringRef object);
    void install(jit_version &version, const char *reason);
    /* Makes code that goes on from this head of the function's loops (loops.h), which stays until
     * new calls run code that does not ask for it. */
    jit_version *make_continuation(Entry &entry, jit_level level, size_t head);
    void release_continuations(Entry &entry);

    Program &program;
    Compiler compiler;
    Versions versions;
    struct jit_costs costs = {};

  private:
    using Object = llvm::SmallVector<char, 0>;

    bool stops(const struct memory_usage &memory);
    std::optional<Object> compile(const jit_function &function, jit_level level,
                                  llvm::function_ref<llvm::Expected<Object>()> work);
    jit_version *link(jit_function &function, const jit_code &code,
                      llvm::SmallVector<char, 0> object);

    void note_miss(jit_level level);

    bool stopped = false;
    unsigned misses[JIT_LEVELS] = {};
};

} // namespace jit
