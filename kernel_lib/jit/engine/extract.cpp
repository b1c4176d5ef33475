#include "kernel_lib/jit/engine/extract.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/Instructions.h"
#include "llvm/Transforms/Utils/Cloning.h"

namespace jit {

using llvm::Function;
using llvm::GlobalValue;
using llvm::GlobalVariable;

namespace {

/* Instructions of one function, and of all functions together, that are copied to be inlined. */
constexpr unsigned MAX_CALLEE = 60;
constexpr unsigned MAX_CALLEES = 400;
/* The same of functions that are called from one place alone. */
constexpr unsigned MAX_SINGLE = 260;
constexpr unsigned MAX_SINGLES = 800;
/* Instructions of a function that is always inlined, since calling it costs more: where code is to
 * be made fast, and on other levels. */
constexpr unsigned SMALL = 32;
constexpr unsigned TINY = 16;
/* Instructions that a function may grow by with all that is inlined into it: small functions that
 * call each other twice would double it with each. */
constexpr uint64_t MAX_EXPANDED = 2000;
/* Bytes of a constant whose value is copied. */
constexpr uint64_t MAX_CONSTANT = 4096;

/* What the front end said about the speed of this code, it said before anybody knew how often it
 * runs. */
void allow_optimising(Function &function) {
    if (function.hasFnAttribute(llvm::Attribute::OptimizeNone)) {
        function.removeFnAttr(llvm::Attribute::OptimizeNone);
        function.removeFnAttr(llvm::Attribute::NoInline);
    }
    function.removeFnAttr(llvm::Attribute::OptimizeForSize);
    function.removeFnAttr(llvm::Attribute::MinSize);
}

bool is_called(const Function &function) {
    return llvm::any_of(function.users(), [&](const llvm::User *user) {
        const auto *call = llvm::dyn_cast<llvm::CallBase>(user);
        return call && call->getCalledFunction() == &function;
    });
}

bool must_be_inlined(const Function &function) {
    return function.hasFnAttribute(llvm::Attribute::AlwaysInline);
}

bool may_be_inlined(const Function &function, unsigned limit) {
    bool forbidden = function.hasFnAttribute(llvm::Attribute::NoInline) &&
                     !function.hasFnAttribute(llvm::Attribute::OptimizeNone);
    return !forbidden && !function.isVarArg() && function.getInstructionCount() <= limit;
}

/* A function that one place calls, which may run what it may run, and that nothing else refers to:
 * the compiler ahead of time would have made it a part of its caller. */
bool is_single(const Function &function) {
    const auto *call =
        function.hasOneUse() ? llvm::dyn_cast<llvm::CallBase>(function.user_back()) : nullptr;
    return call && call->getCalledFunction() == &function &&
           call->getFunction()->getFnAttribute("target-features") ==
               function.getFnAttribute("target-features");
}

} // namespace

bool is_part_of_caller(const Function &function) {
    return is_single(function) && may_be_inlined(function, MAX_SINGLE);
}

Extraction::Extraction(const llvm::Module &source)
    : target(std::make_unique<llvm::Module>("jit", source.getContext())) {
    target->setTargetTriple(source.getTargetTriple());
    target->setDataLayout(source.getDataLayout());
}

llvm::Value *Extraction::materialize(llvm::Value *value) {
    auto *global = llvm::dyn_cast<GlobalValue>(value);
    return global && global->getParent() != target.get() ? declare(*global) : nullptr;
}

GlobalValue *Extraction::declare(const GlobalValue &global) {
    GlobalValue *&declaration = declared[&global];
    if (declaration)
        return declaration;
    auto linkage = global.hasExternalWeakLinkage() ? GlobalValue::ExternalWeakLinkage
                                                   : GlobalValue::ExternalLinkage;
    if (const auto *function = llvm::dyn_cast<Function>(&global)) {
        auto *made = Function::Create(function->getFunctionType(), linkage,
                                      function->getAddressSpace(), global.getName(), target.get());
        made->copyAttributesFrom(function);
        declaration = made;
    } else {
        const auto &variable = llvm::cast<GlobalVariable>(global);
        auto *made = new GlobalVariable(*target, variable.getValueType(), variable.isConstant(),
                                        linkage, nullptr, global.getName());
        made->copyAttributesFrom(&variable);
        declaration = made;
    }
    /* The bitcode was made for one program at a fixed place; this code may lie anywhere. */
    declaration->setDSOLocal(false);
    declaration->setVisibility(GlobalValue::DefaultVisibility);
    met.push_back(&global);
    return declaration;
}

void Extraction::fill(const Function &from, Function &to, llvm::ArrayRef<llvm::Constant *> values) {
    llvm::ValueToValueMapTy map;
    for (auto [index, argument] : llvm::enumerate(from.args())) {
        llvm::Constant *value = index < values.size() ? values[index] : nullptr;
        map[&argument] = value ? static_cast<llvm::Value *>(value) : to.getArg(index);
    }
    llvm::SmallVector<llvm::ReturnInst *, 8> returns;
    llvm::CloneFunctionInto(&to, &from, map, llvm::CloneFunctionChangeType::DifferentModule,
                            returns, "", nullptr, nullptr, this);
    allow_optimising(to);
    to.setAlignment(llvm::MaybeAlign()); /* it is reached by its stub, whose address stays */
}

/* Whether the name is that of a function of the C library. The program then has its own. */
static bool is_library_function(llvm::StringRef name) {
    static const llvm::TargetLibraryInfoImpl library{llvm::Triple()};
    llvm::LibFunc function;
    return library.getLibFunc(name, function);
}

Function &Extraction::clone(const Function &function, const llvm::Twine &name,
                            llvm::ArrayRef<llvm::Constant *> values) {
    auto *made = Function::Create(function.getFunctionType(), GlobalValue::InternalLinkage,
                                  function.getAddressSpace(), name, target.get());
    fill(function, *made, values);
    expansion.add_root(function);
    /* The passes would make of a loop a call of the function that it is the body of. They go by the
     * function's name, which the clone has not. */
    if (is_library_function(function.getName()))
        made->addFnAttr("no-builtins");
    made->setVisibility(GlobalValue::DefaultVisibility);
    made->setDSOLocal(true);
    return *made;
}

void Extraction::add_value(const GlobalVariable &variable) {
    if (!variable.isConstant() || !variable.hasDefinitiveInitializer() ||
        target->getDataLayout().getTypeAllocSize(variable.getValueType()) > MAX_CONSTANT)
        return;
    auto *declaration = llvm::cast<GlobalVariable>(declared.lookup(&variable));
    llvm::ValueToValueMapTy map;
    declaration->setInitializer(llvm::MapValue(variable.getInitializer(), map, llvm::RF_None,
                                               nullptr,
                                               static_cast<llvm::ValueMaterializer *>(this)));
    declaration->setLinkage(GlobalValue::AvailableExternallyLinkage);
}

void Extraction::add_what_may_be_inlined(jit_level level) {
    unsigned copied = 0, singles = 0;
    for (size_t i = 0; i < met.size(); i++) { /* met grows meanwhile */
        if (const auto *variable = llvm::dyn_cast<GlobalVariable>(met[i])) {
            if (level > JIT_O0)
                add_value(*variable);
            continue;
        }
        const auto &function = llvm::cast<Function>(*met[i]);
        auto &made = llvm::cast<Function>(*declared.lookup(&function));
        if (function.isDeclaration() || !is_called(made))
            continue;
        unsigned size = function.getInstructionCount();
        bool single =
            level == JIT_O3 && is_part_of_caller(function) && singles + size <= MAX_SINGLES;
        bool always = single || must_be_inlined(function) ||
                      may_be_inlined(function, level > JIT_O0 ? SMALL : TINY);
        bool also = !always && level > JIT_O0 && may_be_inlined(function, MAX_CALLEE) &&
                    copied + size <= MAX_CALLEES;
        if ((!always && !also) || !expansion.add_inlined(function, MAX_EXPANDED))
            continue;
        singles += single ? size : 0;
        copied += also ? size : 0;
        fill(function, made, {});
        made.addFnAttr(llvm::Attribute::AlwaysInline); /* the pipelines inline nothing else */
        made.setLinkage(GlobalValue::AvailableExternallyLinkage);
        made.setDSOLocal(false);
        made.setVisibility(GlobalValue::DefaultVisibility);
    }
}

} // namespace jit
