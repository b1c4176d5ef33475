/*
 * The interpreter against native code: every case (interpreter_functions.c,
 * interpreter_instructions.py) runs as bitcode in the interpreter and as an object that clang made
 * of the same source, with the same seeds, and must return the same numbers. What cannot be
 * interpreted must be refused, not crash; there is no compiler here: "compiling" a function takes
 * it from the object.
 */
// sources: tests/engine/interpreter_natives.c
#include "kernel_lib/jit/engine/host_symbols.h"
#include "kernel_lib/jit/engine/interpreter.h"
#include "tests/engine/interpreter_cases.h"
#include "tests/host/check.h"
#include <errno.h>
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace llvm;

constexpr uint64_t SEEDS = 25;
constexpr unsigned LOOP_DEPTH = 3;

/* ---- What the engine expects of kernel_lib ---- */

extern "C" {

void panic(const char *format, ...) {
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    abort();
}

/* Only backtraces print. */
void console_printf(const char *, ...) {}

const char *jit_level_name(jit_level) {
    return "";
}

bool error_set(struct error *error, const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(error->text, sizeof error->text, format, values);
    va_end(values);
    return false;
}

bool memory_protect(uintptr_t address, size_t size, enum memory_access access,
                    struct error *error) {
    static const int protections[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
                                      PROT_READ | PROT_EXEC};
    if (mprotect(reinterpret_cast<void *>(address), size, protections[access]) == 0)
        return true;
    return error_set(error, "mprotect: %s", strerror(errno));
}

/* There is nothing that it may have to say. */
void jit_log(const char *format, ...) {
    panic("%s", format);
}

void jit_log_event(const char *format, ...) {
    panic("%s", format);
}

void jit_print_log() {}

struct memory_usage memory_usage() {
    return {};
}

void jit_note_arguments(struct jit_function *, const uint64_t *) {}

void jit_note_call(struct jit_function *function, enum jit_level level, uint64_t) {
    function->times[level].calls++;
}

void jit_note_first_code(struct jit_function *, bool, uint64_t) {}

void *jit_note_rounds(struct jit_function *, uint32_t) {
    return nullptr;
}

/* By name, as in the real table; sorted when the test begins. */
#define NATIVE(name) {#name, reinterpret_cast<void *>(name)}
#define FLOAT(name) {#name, reinterpret_cast<void *>(static_cast<float (*)(float)>(name))}
#define DOUBLE(name) {#name, reinterpret_cast<void *>(static_cast<double (*)(double)>(name))}
extern const struct jit_host_symbol jit_host_symbols[] = {
    DOUBLE(ceil),
    FLOAT(ceilf),
    DOUBLE(cos),
    FLOAT(cosf),
    DOUBLE(exp),
    DOUBLE(exp2),
    FLOAT(exp2f),
    FLOAT(expf),
    DOUBLE(floor),
    FLOAT(floorf),
    DOUBLE(log),
    DOUBLE(log2),
    FLOAT(log2f),
    FLOAT(logf),
    NATIVE(memcpy),
    NATIVE(memmove),
    NATIVE(memset),
    {"pow", reinterpret_cast<void *>(static_cast<double (*)(double, double)>(pow))},
    NATIVE(powf),
    NATIVE(qsort),
    DOUBLE(round),
    FLOAT(roundf),
    DOUBLE(sin),
    FLOAT(sinf),
    NATIVE(snprintf),
    NATIVE(strlen),
    NATIVE(test_bool),
    NATIVE(test_bytes),
    NATIVE(test_call),
    NATIVE(test_double),
    NATIVE(test_float),
    NATIVE(test_int),
    NATIVE(test_mix),
    NATIVE(test_mixed),
    NATIVE(test_narrow),
    NATIVE(test_signed_char),
    NATIVE(test_triple),
    DOUBLE(trunc),
    FLOAT(truncf),
};
extern const size_t jit_host_symbol_count = sizeof jit_host_symbols / sizeof *jit_host_symbols;

/* The cases, and a module without anything in LLVM-libc's place. */
extern const char cases_bitcode[], cases_bitcode_end[], empty_bitcode[], empty_bitcode_end[];
/* The tables of the native object. */
extern const struct test_case native_function_cases[], native_function_helpers[],
    native_instruction_cases[];

bool jit_compile(struct jit_function *function, enum jit_level, bool, const char *) {
    if (strcmp(function->name, "deep_loops") == 0)
        return false;
    for (const test_case *table :
         {native_function_cases, native_function_helpers, native_instruction_cases})
        for (; table->name; table++)
            if (strcmp(table->name, function->name) == 0) {
                jit::Entry &entry = jit::entry_of(*function);
                jit::program().redirect(entry, reinterpret_cast<void *>(table->run));
                return true;
            }
    return false;
}
}

namespace {

unsigned failures;

void fail(const char *name, const char *what) {
    fprintf(stderr, "%s: %s\n", name, what);
    failures++;
}

/* What cannot be interpreted, cannot; it would come back with a wrong number, or not at all. */
bool must_be_compiled(const char *name) {
    return StringRef(name).starts_with("compiled_");
}

/* Whether the function ran where its name says. */
void check_level(const char *name) {
    jit::Entry *entry = jit::program().find(name);
    CHECK(entry);
    const struct jit_function &profile = *entry;
    uint64_t interpreted = profile.times[JIT_INTERPRETER].calls;
    if (must_be_compiled(name) && interpreted > 0)
        fail(name, "was interpreted");
    else if (!must_be_compiled(name) && interpreted == 0)
        fail(name, profile.reason);
    else if (interpreted != profile.calls)
        fail(name, "not all calls were counted");
}

void run(const char *table_name, const test_case *natives) {
    auto *table = static_cast<const test_case *>(jit::program().address(table_name));
    CHECK(table);
    for (; table->name; table++, natives++) {
        CHECK(strcmp(table->name, natives->name) == 0);
        CHECK(jit::program().at_stub(reinterpret_cast<void *>(table->run)));
        for (uint64_t i = 0; i < SEEDS; i++) {
            uint64_t seed = i < 3 ? i : test_mix(i, 12345);
            uint64_t expected = natives->run(seed), got = table->run(seed);
            if (got != expected) {
                fprintf(stderr, "%s(%#llx): %#llx, natively %#llx\n", table->name,
                        static_cast<unsigned long long>(seed), static_cast<unsigned long long>(got),
                        static_cast<unsigned long long>(expected));
                failures++;
                break;
            }
        }
    }
}

/* Slots and constants cannot be written, stubs cannot be written and slots not executed: the kernel
 * says so, when it is asked to read into them. */
void check_protection() {
    jit::Entry &entry = jit::program().entries()[0];
    int ends[2];
    CHECK(pipe(ends) == 0);
    for (const void *place :
         {const_cast<const void *>(entry.stub), static_cast<const void *>(entry.slot),
          static_cast<const void *>(jit::program().address("function_cases"))}) {
        CHECK(write(ends[1], "x", 1) == 1);
        CHECK(read(ends[0], const_cast<void *>(place), 1) == -1 && errno == EFAULT);
        char byte;
        CHECK(read(ends[0], &byte, 1) == 1);
    }
}

} // namespace

int main() {
    jit::Program program(StringRef(cases_bitcode, size_t(cases_bitcode_end - cases_bitcode)),
                         StringRef(empty_bitcode, size_t(empty_bitcode_end - empty_bitcode)));
    jit::Interpreter interpreter(program, {JIT_INTERPRETER, JIT_O3, LOOP_DEPTH});
    check_protection();
    run("function_cases", native_function_cases);
    run("instruction_cases", native_instruction_cases);
    for (const test_case *table :
         {native_function_cases, native_function_helpers, native_instruction_cases})
        for (; table->name; table++)
            check_level(table->name);
    check_protection();
    if (failures == 0)
        printf("%zu functions\n", program.entries().size());
    return failures ? 1 : 0;
}
