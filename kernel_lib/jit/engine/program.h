/*
 * The application as the engine holds it: its bitcode, and for every function of it a slot with the
 * address of the code that calls now reach.
 */
#pragma once
#include "kernel_lib/jit/engine/globals.h"
#include "kernel_lib/jit/engine/kernel.h"
#include "kernel_lib/jit/engine/slots.h"
#include "kernel_lib/jit/function.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include <memory>
#include <optional>
#include <vector>

namespace jit {

/* How a function is interpreted; found out at its first call. */
struct Interpretation {
    bool decided;
    const char *reason;    /* why it cannot be interpreted; nullptr: it can */
    llvm::Function *clone; /* that can be interpreted */
};

struct Continuation {
    size_t head; /* of the function's loops (loops.h) */
    jit_version *version;
};

/* A function with a body in the application's bitcode. */
struct Entry : jit_function {
    llvm::Function *function; /* in Program::module(), as the front end made it */
    void *stub;        /* the function's address for the whole program: jumps to where *slot says */
    void *const *slot; /* on a page that is writable only in Program::redirect */
    void *first_target; /* what runs it before it was compiled */
    Interpretation interpretation;
    std::vector<Continuation> continuations; /* of calls that began in slower code */
};

/* All that the engine knows of the function. */
inline Entry &entry_of(jit_function &function) {
    return static_cast<Entry &>(function);
}
inline const Entry &entry_of(const jit_function &function) {
    return static_cast<const Entry &>(function);
}

class Program {
  public:
    /* Loads the bitcode (load_bitcode), allocates and initialises the global variables, and makes
     * the stubs. The bytes of the bitcode must stay. Panics when the bitcode is damaged. There is
     * one program; it is never destroyed. */
    Program(llvm::StringRef application, llvm::StringRef libc, bool made_elsewhere = false);

    llvm::LLVMContext &context() { return *context_; }
    llvm::Module &module() { return *module_; }
    llvm::MutableArrayRef<Entry> entries() { return entries_; }
    llvm::ArrayRef<struct jit_function *> functions() const { return functions_; }
    Entry *find(llvm::StringRef name); /* by symbol */
    Entry *find(const llvm::Function &function);
    Entry *at_stub(const void *address); /* whose stub this is, or nullptr */
    /* Whose stub or trampoline this address is in, and how far inside. */
    const Entry &near(uintptr_t address, size_t &offset) const;

    /* The address of a symbol of the module: a function's stub, a global variable's memory, or a
     * host symbol (host_symbols.h). nullptr when there is none. */
    void *address(llvm::StringRef symbol);

    /* Call the functions that run before the application's app_main, and after it. */
    void construct();
    void destruct();

    /* New calls of the entry go to target: one atomic store. */
    void redirect(Entry &entry, void *target);

    /* A long jump has left work on the module in the middle. From now on nothing of its context is
     * used, except that functions are read, as interpreted ones are. */
    void abandon() { abandoned_ = true; }
    /* After abandon(), loads the bitcode again: another context, another module with the same
     * symbols, and entries with its functions. The old ones stay allocated. Returns whether it
     * did. */
    bool renew();

  private:
    void make_entries(const std::vector<llvm::Function *> &functions);
    void drop_what_is_not_native();

    llvm::StringRef application_, libc_; /* bitcode */
    bool made_elsewhere_;                /* the application's */
    std::unique_ptr<llvm::LLVMContext> context_ = std::make_unique<llvm::LLVMContext>();
    std::unique_ptr<llvm::Module> module_;
    bool abandoned_ = false;
    std::vector<Entry> entries_;
    std::vector<struct jit_function *> functions_;   /* the same, for jit_functions() */
    std::vector<void *> constructors_, destructors_; /* their stubs */
    std::optional<Slots> slots_;
    llvm::DenseMap<const llvm::Function *, Entry *> by_function_;
    llvm::StringMap<void *> addresses_; /* of what the program itself defines */
};

/* The program, which must have been made. */
Program &program();

} // namespace jit
