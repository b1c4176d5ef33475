#include "tests/engine/engine_fixture.h"
#include "kernel_lib/jit/engine/enter.h"
#include "kernel_lib/jit/log.h"
#include "kernel_lib/jit/settings.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/Support/SourceMgr.h"
#include <sys/mman.h>

using namespace llvm;

std::vector<noted_call> noted_calls;
std::vector<std::vector<uint64_t>> noted_arguments;
std::vector<stored_code> stored;
std::vector<std::string> messages;
bool no_memory, no_pages;
jit_level continued_at;
unsigned continued;

static const char TARGET[] = "target triple = \"x86_64-unknown-none-elf\"\n"
                             "target datalayout = \"e-m:e-p270:32:32-p271:32:32-p272:64:64-"
                             "i64:64-i128:128-f80:128-n8:16:32:64-S128\"\n";

static std::string bitcode(const char *assembly) {
    LLVMContext context;
    SMDiagnostic problem;
    auto module = parseAssemblyString(assembly, problem, context);
    if (!module)
        problem.print("test", errs());
    CHECK(module);
    std::string bytes;
    raw_string_ostream stream(bytes);
    WriteBitcodeToFile(*module, stream);
    return bytes;
}

jit::Program &load(const char *assembly, const void *stack_base) {
    static const std::string application = bitcode((std::string(TARGET) + assembly).c_str());
    static const std::string libc = bitcode(TARGET);
    auto *program = new jit::Program(application, libc);
    new jit::Engine(*program, stack_base); /* never destroyed, like the program */
    return *program;
}

static void store(jit_function *function, const jit_code *code, const void *object, size_t size) {
    stored.push_back({function, *code, {static_cast<const char *>(object), size}});
}

/* Before main() of any test. */
static const bool stores = (jit_on_install(store), true);

jit_function *profile(const char *name) {
    return jit::program().find(name);
}

__attribute__((noinline)) void clear_dead_stack() {
    volatile char stack[256 * 1024];
    for (volatile char &byte : stack)
        byte = 0;
}

extern "C" {

/* Functions start on O0, unless the test has an interpreter. */
__attribute__((weak)) void *jit_entered(uint32_t index, struct jit_registers *) {
    jit::Entry &entry = jit::program().entries()[index];
    CHECK(jit_compile(&entry, JIT_O0, false, "first call"));
    return *entry.slot;
}

void jit_note_arguments(jit_function *function, const uint64_t *values) {
    noted_arguments.push_back({values, values + function->values.arguments});
}

void jit_note_call(jit_function *function, jit_level level, uint64_t) {
    noted_calls.push_back({function, level});
}

void jit_note_first_code(jit_function *, bool, uint64_t) {}

void *jit_note_rounds(jit_function *function, uint32_t loop) {
    function->rounds = 1 + function->calls % 5;
    if (continued_at == JIT_INTERPRETER)
        return nullptr;
    continued++;
    void *code = jit_continuation(function, loop);
    return code ? code : jit_make_continuation(function, loop, continued_at);
}

/* Only backtraces print. */
void console_printf(const char *, ...) {}

const char *jit_level_name(jit_level level) {
    static const char *const names[] = {"interpreter", "O0", "O1", "O2", "O3"};
    return names[level];
}

void jit_log(const char *format, ...) {
    char line[300];
    va_list values;
    va_start(values, format);
    vsnprintf(line, sizeof line, format, values);
    va_end(values);
    messages.push_back(line);
    fprintf(stderr, "%s\n", line);
}

void jit_log_event(const char *, ...) {}

void jit_print_log() {}

bool memory_protect(uintptr_t start, size_t size, memory_access access, struct error *error) {
    static const int flags[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
                                PROT_READ | PROT_EXEC};
    return mprotect(reinterpret_cast<void *>(start), size, flags[access]) == 0 ||
           error_set(error, "mprotect failed");
}

/* Instead of the C library's, for LLVM too. */
void *aligned_alloc(size_t alignment, size_t size) {
    void *memory;
    bool refused = no_pages && alignment == PAGE_SIZE;
    return refused || posix_memalign(&memory, std::max(alignment, sizeof(void *)), size) != 0
               ? nullptr
               : memory;
}

struct memory_usage memory_usage() {
    uint64_t total = 1 << 30;
    return {total, no_memory ? total - 1000 : 0, 0};
}

void panic(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    abort();
}
}
