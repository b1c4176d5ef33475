// sources: kernel_lib/jit/store/profile_parse.c kernel_lib/jit/store/function_names.c
// sources: kernel_lib/jit/values.c kernel_lib/cpu/instruction_sets.c kernel_lib/cpu/features.c
// sources: kernel_lib/crc32.c site_scons/engine_programs/prepare.cpp
/* What a profile does to the application's bitcode before it is compiled as a whole. */
#include "site_scons/engine_programs/prepare.h"
#include "tests/engine/made_profile.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Verifier.h"

using namespace llvm;

static const char ASSEMBLY[] = R"(
target triple = "x86_64-unknown-none-elf"
@table = constant ptr @sum

define i32 @sum(ptr %a, i32 %count) #0 {
entry:
    br label %loop
loop:
    %i = phi i32 [ 0, %entry ], [ %next, %loop ]
    %next = add i32 %i, 1
    %more = icmp ult i32 %next, %count
    br i1 %more, label %loop, label %end
end:
    ret i32 %next
}

define void @part_avx2() #1 {
    ret void
}

define i32 @sum_avx2(ptr %a, i32 %count) #1 {
entry:
    call void @part_avx2()
    br label %loop
loop:
    %i = phi i32 [ 0, %entry ], [ %next, %loop ]
    %next = add i32 %i, 1
    %more = icmp ult i32 %next, %count
    br i1 %more, label %loop, label %end
end:
    ret i32 %next
}

define i32 @sum_unknown(ptr %a, i32 %count) #2 {
    ret i32 %count
}

define void @seldom() #0 {
    ret void
}

define void @never() #0 {
    ret void
}

define i32 @app_main() #0 {
    %f = load ptr, ptr @table
    %x = call i32 %f(ptr null, i32 64)
    call void @seldom()
    ret i32 %x
}

attributes #0 = { "target-features"="+sse2,+x87" }
attributes #1 = { "target-features"="+avx,+avx2,+sse2,+x87" }
attributes #2 = { "target-features"="+avx9,+sse2,+x87" }
)";

static const char FUNCTIONS[] =
    "function sum calls 1000 level 4 specialised 1 arguments 1 because time\n"
    "times 4 calls 100 total 100000 min 1 max 1\n"
    "tuple calls 60 values 64\n"
    "tuple calls 1 values 7\n"
    "tuple calls 40 values 32\n";
static const char SELDOM[] = "function seldom calls 1 level 0 specialised 0 arguments 0 because x\n"
                             "times 0 calls 1 total 10 min 1 max 10\n";

struct Prepared {
    LLVMContext context;
    jit::Bitcode bitcode;
    jit::Learnt learnt;
    Function *named(StringRef name) { return bitcode.module->getFunction(name); }
};

static std::unique_ptr<Prepared> prepare(const std::string &profile) {
    auto made = std::make_unique<Prepared>();
    static const std::string application = bitcode_of(ASSEMBLY), libc = bitcode_of("");
    made->bitcode = jit::load_bitcode(made->context, application, libc);
    auto learnt = jit::prepare_application(made->bitcode, profile);
    if (!learnt) {
        made->learnt.choices = toString(learnt.takeError());
        return made;
    }
    made->learnt = *learnt;
    CHECK(!verifyModule(*made->bitcode.module, &errs()));
    return made;
}

static Function *in_table(Prepared &made) {
    return cast<Function>(made.bitcode.module->getNamedGlobal("table")->getInitializer());
}

static bool compares_with(Function &function, uint64_t value) {
    for (Instruction &instruction : instructions(function))
        if (auto *compare = dyn_cast<ICmpInst>(&instruction))
            if (auto *constant = dyn_cast<ConstantInt>(compare->getOperand(1)))
                if (constant->getZExtValue() == value)
                    return true;
    return false;
}

/* Clones for the two frequent values, in front of the general body; calls go there. */
static void test_clones() {
    auto made = prepare(sealed(std::string(HEAD) + FUNCTIONS + SELDOM));
    CHECK(made->learnt.build == "maker" && made->learnt.model == "dim=64");
    CHECK(made->learnt.clones == 2 && made->learnt.chosen == 0 && made->learnt.features.empty());
    CHECK(made->learnt.functions == 2 && made->learnt.hot == 1 && made->learnt.boots == 3);
    CHECK(made->learnt.choices == "sum: clones: 2\n");
    Function *sum = made->named("sum");
    CHECK(in_table(*made) == sum && made->named("sum.general"));
    CHECK(compares_with(*sum, 64) && compares_with(*sum, 32) && !compares_with(*sum, 7));
    CHECK(compares_with(*made->named("sum.jit_clone0"), 64));
    CHECK(!compares_with(*made->named("sum.general"), 64));
    CHECK(made->bitcode.module->getNamedGlobal("made_from")->hasExternalLinkage());
}

static void test_temperature() {
    auto made = prepare(sealed(std::string(HEAD) + FUNCTIONS + SELDOM));
    CHECK(made->named("sum")->hasFnAttribute(Attribute::Hot));
    CHECK(made->named("sum.jit_clone1")->hasFnAttribute(Attribute::Hot));
    Function *seldom = made->named("seldom"), *never = made->named("never");
    CHECK(seldom->hasFnAttribute(Attribute::MinSize) && !seldom->hasFnAttribute(Attribute::Cold));
    CHECK(never->hasFnAttribute(Attribute::MinSize) && never->hasFnAttribute(Attribute::Cold));
    CHECK(!made->named("part_avx2")->hasFnAttribute(Attribute::AlwaysInline));
    Function *other = made->named("sum_avx2"); /* another CPU may choose it */
    CHECK(other->hasFnAttribute(Attribute::Cold) && !other->hasFnAttribute(Attribute::MinSize));
    made = prepare(sealed(HEAD)); /* which says nothing of any function */
    CHECK(!made->named("never")->hasFnAttribute(Attribute::Cold));
    CHECK(made->learnt.clones == 0 && made->learnt.hot == 0);
    /* What was called once may have waited for its user. */
    std::string waited = SELDOM;
    waited.replace(waited.find("total 10"), 8, "total 99999999999");
    waited.replace(waited.find("max 10"), 6, "max 99999999999");
    made = prepare(sealed(std::string(HEAD) + FUNCTIONS + waited));
    CHECK(made->learnt.clones == 2 && made->learnt.hot == 1);
}

static void test_alternative() {
    std::string candidate = "candidate sum_avx2 shape 0 cycles 9 chosen 1\n";
    auto made = prepare(sealed(std::string(HEAD) + FUNCTIONS + candidate));
    CHECK(made->learnt.chosen == 1 && made->learnt.features == "avx2,avx");
    CHECK(made->learnt.choices == "sum: the code of sum_avx2, clones: 2\n");
    for (const char *name : {"sum", "sum.jit_clone0", "sum_avx2"})
        CHECK(made->named(name)->getFnAttribute("target-features") ==
              made->named("sum_avx2")->getFnAttribute("target-features"));
    /* Nobody else calls this: each clone gets it. */
    CHECK(made->named("part_avx2")->hasFnAttribute(Attribute::Hot));
    CHECK(made->named("part_avx2")->hasFnAttribute(Attribute::AlwaysInline));
    /* An instruction set that the kernel could not check is never used. */
    candidate = "candidate sum_unknown shape 0 cycles 9 chosen 1\n";
    made = prepare(sealed(std::string(HEAD) + FUNCTIONS + candidate));
    CHECK(made->learnt.chosen == 0 && made->learnt.features.empty() && made->learnt.clones == 2);
}

/* Without clones the other function's code stands under both names. */
static void test_alternative_alone() {
    std::string function = StringRef(FUNCTIONS).split("tuple").first.str();
    function += "candidate sum_avx2 shape 0 cycles 9 chosen 1\n";
    auto made = prepare(sealed(HEAD + function));
    CHECK(made->learnt.choices == "sum: the code of sum_avx2\n");
    GlobalAlias *alias = made->bitcode.module->getNamedAlias("sum");
    CHECK(alias && alias->getAliasee() == made->named("sum_avx2"));
    CHECK(in_table(*made) == made->named("sum_avx2"));
    CHECK(made->named("sum_avx2")->hasFnAttribute(Attribute::Hot));
}

static void test_codegen_options() {
    std::string candidate = "candidate sum shape 1 cycles 9 chosen 1\n";
    auto made = prepare(sealed(std::string(HEAD) + FUNCTIONS + candidate));
    CHECK(made->learnt.choices == "sum: all instruction sets, clones: 2\n");
    CHECK(made->learnt.features == "avx2,avx");
    Function *clone = made->named("sum.jit_clone0");
    CHECK(clone->getFnAttribute("target-features").getValueAsString() == "+avx2,+avx");
}

static void test_refused() {
    std::string good = sealed(std::string(HEAD) + FUNCTIONS), bad = good;
    bad[good.size() / 2] ^= 1;
    CHECK(StringRef(prepare(bad)->learnt.choices).contains("damaged"));
    std::string other = "function other calls 1 level 0 specialised 0 arguments 0 because x\n";
    CHECK(StringRef(prepare(sealed(HEAD + other))->learnt.choices).contains("line 7"));
}

int main() {
    test_clones();
    test_temperature();
    test_alternative();
    test_alternative_alone();
    test_codegen_options();
    test_refused();
    puts("learnt: passed");
}
