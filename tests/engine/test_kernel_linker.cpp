// sources: kernel_lib/crc32.c
/* Which definition each reference means in a kernel that is linked of the kernel's object and two
 * of the application's: what was compiled on the machine, and what the build has compiled. */
#include "kernel_lib/jit/engine/pipeline.h"
#include "kernel_lib/jit/export/kernel_linker.h"
#include "tests/engine/made_profile.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/TargetSelect.h"

using namespace llvm;

static const char KERNEL[] = R"(
target triple = "x86_64-unknown-none-elf"
@start = constant [2 x ptr] [ptr @value, ptr @app_main], section ".header"
@app_main = external constant i64
@value = constant i64 101
@service = constant i64 102
)";

/* The application has a `value` of its own. */
static const char HOT[] = R"(
target triple = "x86_64-unknown-none-elf"
@value = hidden constant i64 103
@local = internal constant i64 104
@other = hidden constant [2 x ptr] [ptr @kept, ptr @local]
@kept = external hidden constant i64
)";

static const char PRECOMPILED[] = R"(
target triple = "x86_64-unknown-none-elf"
@app_main = weak constant [4 x ptr] [ptr @value, ptr @service, ptr @other, ptr @kept]
@value = weak hidden constant i64 105
@other = weak hidden constant i64 106
@kept = weak hidden constant i64 107
@service = external constant i64
)";

static SmallVector<char, 0> object_of(const char *assembly) {
    LLVMContext context;
    auto module = parsed(context, assembly);
    auto machine =
        cantFail(jit::make_target_machine(module->getTargetTriple(), JIT_O3, Reloc::Static));
    machine->Options.DataSections = true;
    module->setDataLayout(machine->createDataLayout());
    SmallVector<char, 0> object;
    raw_svector_ostream stream(object);
    legacy::PassManager passes;
    CHECK(!machine->addPassesToEmitFile(passes, stream, nullptr, CodeGenFileType::ObjectFile));
    passes.run(*module);
    return object;
}

static MemoryBufferRef buffer(const SmallVector<char, 0> &object) {
    return MemoryBufferRef(StringRef(object.data(), object.size()), "object");
}

constexpr uint64_t START = 1 << 20; /* where a kernel lies (kernel_lib/cpu/linker.ld) */

class Image {
  public:
    explicit Image(const std::vector<char> &bytes) : bytes(bytes) {}
    /* The index-th word of what lies at the address. */
    uint64_t word(uint64_t address, size_t index = 0) const {
        uint64_t offset = address - START + index * sizeof(uint64_t);
        CHECK(offset + sizeof(uint64_t) <= bytes.size());
        return support::endian::read64le(&bytes[offset]);
    }
    bool has(char value) const { return is_contained(bytes, value); }

  private:
    const std::vector<char> &bytes;
};

static void test_names() {
    auto kernel = object_of(KERNEL), hot = object_of(HOT), precompiled = object_of(PRECOMPILED);
    jit::KernelLinker linker;
    cantFail(linker.add_kernel(buffer(kernel)));
    cantFail(linker.add_application(buffer(hot)));
    cantFail(linker.add_application(buffer(precompiled)));
    auto linked = cantFail(linker.link(1 << 16));
    Image image(linked);
    CHECK(image.word(image.word(START)) == 101); /* not the application's of the same name */
    uint64_t app_main = image.word(START, 1);
    CHECK(image.word(image.word(app_main)) == 103);
    CHECK(image.word(image.word(app_main, 1)) == 102);
    uint64_t other = image.word(app_main, 2);
    CHECK(image.word(image.word(other)) == 107 && image.word(image.word(other, 1)) == 104);
    CHECK(image.word(app_main, 3) == image.word(other));
    CHECK(!image.has(105) && !image.has(106)); /* replaced, so nothing leads there */
}

static void test_missing() {
    auto kernel = object_of(KERNEL);
    jit::KernelLinker linker;
    cantFail(linker.add_kernel(buffer(kernel)));
    CHECK(toString(linker.link(1 << 16).takeError()) == "there is no symbol app_main");
}

static void test_two_definitions() {
    auto kernel = object_of(KERNEL), hot = object_of(HOT);
    jit::KernelLinker linker;
    cantFail(linker.add_kernel(buffer(kernel)));
    cantFail(linker.add_application(buffer(hot)));
    Error error = linker.add_application(buffer(hot));
    CHECK(StringRef(toString(std::move(error))).starts_with("two definitions of "));
}

int main() {
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
    test_names();
    test_missing();
    test_two_definitions();
    puts("kernel_linker: passed");
}
