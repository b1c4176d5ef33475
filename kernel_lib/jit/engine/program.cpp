/* The application's bitcode, its symbols and their addresses. */
#include "kernel_lib/jit/engine/program.h"
#include "kernel_lib/jit/engine/bitcode.h"
#include "kernel_lib/jit/engine/host_symbols.h"
#include "kernel_lib/jit/engine/named_code.h"
#include "kernel_lib/jit/engine/profiled_arguments.h"
#include "kernel_lib/jit/engine/recover.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;
using namespace jit;

static Program *the_program;

Program &jit::program() {
    return *the_program;
}

static Entry make_entry(Function &function, const Slots &slots, size_t index) {
    Entry entry = {};
    entry.name = function.getName().data();
    entry.reason = "not called yet";
    entry.size = function.getInstructionCount();
    entry.highest = JIT_O3;
    entry.rounds = JIT_ROUNDS;
    entry.values.arguments = static_cast<uint8_t>(profiled_arguments(function).size());
    for (struct jit_times &times : entry.times)
        times.min = UINT64_MAX;
    entry.function = &function;
    entry.stub = slots.stub(index);
    entry.slot = slots.slot(index);
    entry.first_target = slots.trampoline(index);
    return entry;
}

Program::Program(StringRef application, StringRef libc, bool made_elsewhere)
    : application_(application), libc_(libc), made_elsewhere_(made_elsewhere) {
    the_program = this;
    Bitcode bitcode = load_bitcode(*context_, application, libc, made_elsewhere);
    module_ = std::move(bitcode.module);
    make_entries(bitcode.functions);
    Globals globals(*module_, [this](const GlobalVariable &variable, void *memory) {
        addresses_[variable.getName()] = memory;
    });
    drop_what_is_not_native();
    globals.initialise(*module_,
                       [this](const GlobalValue &symbol) { return address(symbol.getName()); });
    for (Function *function : bitcode.constructors)
        constructors_.push_back(find(*function)->stub);
    for (Function *function : bitcode.destructors)
        destructors_.push_back(find(*function)->stub);
}

static void call(ArrayRef<void *> functions) {
    for (void *function : functions)
        reinterpret_cast<void (*)()>(function)();
}

void Program::construct() {
    call(constructors_);
}

void Program::destruct() {
    call(destructors_);
}

void Program::make_entries(const std::vector<Function *> &functions) {
    slots_.emplace(functions.size());
    entries_.reserve(functions.size()); /* pointers to entries are kept */
    for (Function *function : functions) {
        Entry &entry = entries_.emplace_back(make_entry(*function, *slots_, entries_.size()));
        functions_.push_back(&entry);
        by_function_[function] = &entry;
        addresses_[function->getName()] = entry.stub;
    }
    name_stubs(*slots_, entries_);
}

bool Program::renew() {
    if (!abandoned_)
        return false;
    auto context = std::make_unique<LLVMContext>();
    Bitcode bitcode = load_bitcode(*context, application_, libc_, made_elsewhere_);
    module_.release();
    context_.release();
    module_ = std::move(bitcode.module);
    context_ = std::move(context);
    by_function_.clear();
    for (auto [entry, function] : zip_equal(entries_, bitcode.functions)) {
        entry.function = function;
        by_function_[function] = &entry;
    }
    drop_what_is_not_native();
    abandoned_ = false;
    return true;
}

/* Whether all that the function's code refers to has an address. */
static bool is_complete(Program &program, Function &function) {
    Addresses addresses(
        [&program](const GlobalValue &symbol) { return program.address(symbol.getName()); });
    for (Instruction &instruction : instructions(function))
        for (Value *operand : instruction.operands())
            if (auto *constant = dyn_cast<Constant>(operand))
                addresses.map(constant, program.module().getDataLayout());
    return addresses.complete();
}

/* Of LLVM-libc's bodies those stay that can be inlined anywhere: what they refer to, and they
 * themselves where they are not inlined, must have a native address. The others are only called. */
void Program::drop_what_is_not_native() {
    for (Function &function : *module_)
        if (function.hasAvailableExternallyLinkage() &&
            (!address(function.getName()) || !is_complete(*this, function)))
            function.deleteBody();
    for (Function &function : make_early_inc_range(*module_))
        if (function.isDeclaration() && function.use_empty())
            function.eraseFromParent();
}

Entry *Program::find(StringRef name) {
    Function *function = module_->getFunction(name);
    return function ? find(*function) : nullptr;
}

Entry *Program::find(const Function &function) {
    return by_function_.lookup(&function);
}

Entry *Program::at_stub(const void *address) {
    size_t index;
    return slots_->find(address, index) ? &entries_[index] : nullptr;
}

const Entry &Program::near(uintptr_t address, size_t &offset) const {
    return entries_[slots_->index_at(address, offset)];
}

void *Program::address(StringRef symbol) {
    auto own = addresses_.find(symbol);
    return own != addresses_.end() ? own->second : host_symbol_address(symbol.str().c_str());
}

void Program::redirect(Entry &entry, void *target) {
    slots_->redirect(entry.slot, target);
}

extern "C" struct jit_function *const *jit_functions(size_t *count) {
    ArrayRef<jit_function *> functions;
    if (the_program) /* the machine may stop before there is one */
        functions = the_program->functions();
    *count = functions.size();
    return functions.data();
}

extern "C" struct jit_function *jit_function_at(const void *address) {
    return program().at_stub(address);
}

static bool has_calls(const BasicBlock &block) {
    return any_of(block, [](const Instruction &instruction) {
        return isa<CallBase>(instruction) && !isa<IntrinsicInst>(instruction);
    });
}

static bool has_loop(Function &function) {
    DominatorTree dominators(function);
    LoopInfo loops(dominators);
    return any_of(loops.getLoopsInPreorder(), [](const Loop *loop) {
        return none_of(loop->blocks(), [](const BasicBlock *block) { return has_calls(*block); });
    });
}

extern "C" bool jit_has_loop(const struct jit_function *function) {
    bool found = true; /* if that cannot be found out: then it is timed like those that have */
    consumeError(recovering(program(), [&] {
        found = has_loop(*entry_of(*function).function);
        return Error::success();
    }));
    return found;
}
