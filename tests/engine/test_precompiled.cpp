// sources: kernel_lib/jit/store/profile_parse.c kernel_lib/jit/store/function_names.c
// sources: kernel_lib/jit/values.c kernel_lib/cpu/instruction_sets.c kernel_lib/cpu/features.c
// sources: kernel_lib/crc32.c
/* What an export compiles, and what it leaves to the code that the build has compiled. */
#include "kernel_lib/jit/export/application.h"
#include "kernel_lib/jit/export/precompiled.h"
#include "tests/engine/made_profile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/TargetSelect.h"
#include <set>

using namespace llvm;

/* Too many instructions to be inlined; none of them can be left out. */
static std::string many_instructions() {
    std::string text;
    for (int i = 0; i < 300; i++)
        text += "    store volatile i32 " + std::to_string(i) + ", ptr @state\n";
    return text;
}

static std::string assembly() {
    return R"(
target triple = "x86_64-unknown-none-elf"
@table = constant ptr @busy
@numbers = constant [2 x i32] [i32 5, i32 7]
@state = global i32 1
@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }]
    [{ i32, ptr, ptr } { i32 0, ptr @construct, ptr null }]

define void @construct() #0 {
    ret void
}

define i32 @small() #0 {
    %n = load i32, ptr getelementptr ([2 x i32], ptr @numbers, i64 0, i64 1)
    ret i32 %n
}

define i32 @large() #0 {
)" + many_instructions() +
           R"(
    ret i32 1
}

define i32 @inner() #0 {
)" + many_instructions() +
           R"(
    ret i32 2
}

define i32 @never() #0 {
    %n = load volatile i32, ptr @state
    ret i32 %n
}

define i32 @busy(i32 %count) #0 {
entry:
    br label %loop
loop:
    %i = phi i32 [ 0, %entry ], [ %next, %loop ]
    %a = call i32 @small()
    %b = call i32 @inner()
    %next = add i32 %i, %a
    %more = icmp ult i32 %next, %count
    br i1 %more, label %loop, label %end
end:
    %c = call i32 @large()
    %d = call i32 @never()
    %e = call i32 @inner()
    %s = add i32 %c, %d
    ret i32 %s
}

define i32 @app_main() #0 {
    %f = load ptr, ptr @table
    %x = call i32 %f(i32 64)
    %y = call i32 @large()
    ret i32 %y
}

attributes #0 = { "target-features"="+sse2,+x87" }
)";
}

static std::string called(const char *name, int calls, int cycles, const char *values = "") {
    std::string number = std::to_string(calls);
    return std::string("function ") + name + " calls " + number +
           " level 4 specialised 0 arguments " + (*values ? "1" : "0") +
           " because x\ntimes 4 calls " + number + " total " + std::to_string(calls * cycles) +
           " min 1 max " + std::to_string(cycles) + "\n" + values;
}

static std::string profile() {
    return sealed(HEAD + called("busy", 1000, 100, "tuple calls 900 values 64\n") +
                  called("inner", 5000, 10) + called("small", 5000, 1) + called("large", 5, 10) +
                  called("app_main", 1, 10));
}

struct Left {
    LLVMContext context;
    jit::Bitcode bitcode;
    Function &named(StringRef name) { return *bitcode.module->getFunction(name); }
    GlobalVariable &variable(StringRef name) { return *bitcode.module->getNamedGlobal(name); }
};

static std::unique_ptr<Left> left(const std::string &text) {
    auto made = std::make_unique<Left>();
    static const std::string application = bitcode_of(assembly().c_str()), libc = bitcode_of("");
    made->bitcode = jit::load_bitcode(made->context, application, libc);
    cantFail(jit::apply_profile(made->bitcode, text).takeError());
    jit::leave_precompiled(*made->bitcode.module);
    CHECK(!verifyModule(*made->bitcode.module, &errs()));
    return made;
}

static bool inlines(Function &function, StringRef callee) {
    for (Instruction &instruction : instructions(function))
        if (auto *call = dyn_cast<CallBase>(&instruction))
            if (call->getCalledFunction() && call->getCalledFunction()->getName() == callee)
                return call->hasFnAttr(Attribute::AlwaysInline);
    return false;
}

/* Only what is hot has code of its own; the build's code finds what it refers to by name. */
static void test_functions() {
    auto made = left(profile());
    std::set<std::string> compiled;
    for (Function &function : *made->bitcode.module)
        if (jit::is_compiled(function))
            compiled.insert(function.getName().str());
    CHECK(compiled ==
          std::set<std::string>({"busy", "busy.general", "busy.jit_clone0", "inner", "small"}));
    CHECK(made->named("busy").hasExternalLinkage() && made->named("busy").hasHiddenVisibility());
    for (const char *own : {"busy.general", "busy.jit_clone0", "inner", "small"})
        CHECK(made->named(own).hasInternalLinkage());
    for (const char *other : {"large", "never", "app_main", "construct"})
        CHECK(made->named(other).isDeclaration());
    CHECK(made->named("never").hasFnAttribute(Attribute::Cold));
    CHECK(inlines(made->named("busy.jit_clone0"), "small"));
    CHECK(!inlines(made->named("busy.jit_clone0"), "inner"));
}

/* A function that is not hot, but small enough to be a part of one that is. */
static void test_part() {
    auto made = left(sealed(HEAD + called("busy", 1000, 100) + called("small", 5, 1)));
    CHECK(made->named("small").hasAvailableExternallyLinkage());
    CHECK(inlines(made->named("busy"), "small"));
    CHECK(made->named("inner").isDeclaration());
}

static void test_variables() {
    auto made = left(profile());
    CHECK(made->variable("numbers").hasAvailableExternallyLinkage());
    CHECK(made->variable("numbers").hasInitializer());
    CHECK(made->variable("state").isDeclaration());
    CHECK(!made->bitcode.module->getNamedGlobal("llvm.global_ctors"));
    CHECK(!made->variable("made_from").isDeclaration());
}

/* Nothing is known to run seldom, so all is compiled. */
static void test_says_nothing() {
    auto made = left(sealed(HEAD));
    for (const char *name : {"busy", "inner", "small", "large", "never", "app_main", "construct"})
        CHECK(jit::is_compiled(made->named(name)));
}

/* The object defines what is compiled, and nothing that the build's code defines as well. */
static void test_object() {
    static const std::string application = bitcode_of(assembly().c_str()), libc = bitcode_of("");
    auto made = cantFail(jit::compile_application(
        application, libc, profile(), [](StringRef) { return false; }, [] { return true; }));
    StringRef bytes(made.object.data(), made.object.size());
    auto file = cantFail(object::ObjectFile::createObjectFile(MemoryBufferRef(bytes, "object")));
    std::set<std::string> functions, global;
    for (object::ELFSymbolRef symbol : cast<object::ELFObjectFileBase>(*file).symbols()) {
        if (cantFail(symbol.getFlags()) & object::SymbolRef::SF_Undefined)
            continue;
        std::string name = cantFail(symbol.getName()).str();
        if (symbol.getELFType() == ELF::STT_FUNC)
            functions.insert(name);
        if (symbol.getBinding() != ELF::STB_LOCAL)
            global.insert(name);
    }
    /* busy.general and small are parts of others. */
    CHECK(functions == std::set<std::string>({"busy", "busy.jit_clone0", "inner"}));
    CHECK(global == std::set<std::string>({"busy", "made_from"}));
    CHECK(made.functions == functions.size());
}

int main() {
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
    test_functions();
    test_part();
    test_variables();
    test_says_nothing();
    test_object();
    puts("precompiled: passed");
}
