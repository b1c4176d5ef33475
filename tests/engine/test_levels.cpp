/*
 * Every case (level_functions.c, operations.py) runs as bitcode in the interpreter and compiled
 * on each level, and as an object that clang made of the same source: the numbers are the same.
 */
// sources: tests/engine/engine_fixture.cpp tests/engine/interpreter_natives.c
#include "kernel_lib/jit/engine/interpreter.h"
#include "kernel_lib/jit/settings.h"
#include "tests/engine/engine_fixture.h"
#include "tests/engine/interpreter_cases.h"

using namespace llvm;

constexpr uint64_t SEEDS = 12;
constexpr unsigned LOOP_DEPTH = 3;

extern "C" {

extern const char cases_bitcode[], cases_bitcode_end[], empty_bitcode[], empty_bitcode_end[];
/* The tables of the native object. */
extern const struct test_case native_level_cases[], native_operation_cases[];
}

namespace {

unsigned failures;

/* What one case returned natively, with each seed. Thread-local and other variables make that
 * depend on what ran before, here as there. */
std::vector<std::vector<uint64_t>> expected(const test_case *cases) {
    std::vector<std::vector<uint64_t>> results;
    for (; cases->name; cases++) {
        results.emplace_back();
        for (uint64_t i = 0; i < SEEDS; i++)
            results.back().push_back(cases->run(i < 3 ? i : test_mix(i, 12345)));
    }
    return results;
}

void run(const char *level, const char *table_name, const test_case *natives) {
    auto *table = static_cast<const test_case *>(jit::program().address(table_name));
    auto wanted = expected(natives);
    for (size_t k = 0; table[k].name; k++)
        for (uint64_t i = 0; i < SEEDS; i++) {
            uint64_t seed = i < 3 ? i : test_mix(i, 12345), got = table[k].run(seed);
            if (got == wanted[k][i])
                continue;
            fprintf(stderr, "%s, %s(%#llx): %#llx, natively %#llx\n", level, table[k].name,
                    static_cast<unsigned long long>(seed), static_cast<unsigned long long>(got),
                    static_cast<unsigned long long>(wanted[k][i]));
            failures++;
            break;
        }
}

/* Those with a name that begins with "compiled_" may call what returns twice, or have types that
 * the interpreter lacks; others must have been interpreted. */
void check_interpreted() {
    for (const char *name : {"addresses_in_tables", "label_table", "label_differences", "aliases",
                             "thread_locals", "doubling", "go_down", "climb"})
        if (strcmp(profile(name)->reason, "called") != 0) {
            fprintf(stderr, "%s is not interpreted: %s\n", name, profile(name)->reason);
            failures++;
        }
    for (const char *name : {"jump_out", "protect", "nested_jumps"})
        CHECK(strstr(profile(name)->reason, "returns twice"));
}

/* In the order of priority, destructors the other way round. */
void check_construction() {
    auto *log = static_cast<const uint64_t *>(jit::program().address("construction_log"));
    CHECK(*log == 0);
    jit::program().construct();
    CHECK(*log == 1234);
    jit::program().destruct();
    CHECK(*log == 123489);
}

/* What inlining makes of functions that call others several times. */
void check_growth(jit_level level) {
    constexpr size_t MOST = 256 * 1024;
    for (const char *name : {"double_12", "large_6"}) {
        CHECK(jit_compile(profile(name), level, false, "test"));
        if (stored.back().object.size() > MOST) {
            fprintf(stderr, "%s has %zu bytes on %s\n", name, stored.back().object.size(),
                    jit_level_name(level));
            failures++;
        }
    }
}

void ask_at_once() {
    for (jit::Entry &entry : jit::program().entries())
        entry.rounds = 1;
}

/* All that begins on this level leaves its first loop after a few rounds. */
void run_continued(const char *from, jit_level level) {
    std::string name = std::string(from) + " continued on " + jit_level_name(level);
    continued_at = level;
    continued = 0;
    ask_at_once();
    run(name.c_str(), "level_cases", native_level_cases);
    run(name.c_str(), "operation_cases", native_operation_cases);
    continued_at = JIT_INTERPRETER;
    fprintf(stderr, "%s: %u calls\n", name.c_str(), continued);
    CHECK(continued >= SEEDS);
}

void compile_all(jit_level level) {
    for (jit::Entry &entry : jit::program().entries())
        CHECK(jit_compile(&entry, level, false, "test"));
}

} // namespace

int main() {
    auto bytes = [](const char *begin, const char *end) {
        return StringRef(begin, static_cast<size_t>(end - begin));
    };
    auto *program = new jit::Program(bytes(cases_bitcode, cases_bitcode_end),
                                     bytes(empty_bitcode, empty_bitcode_end));
    new jit::Engine(*program, __builtin_frame_address(0));
    new jit::Interpreter(*program, {JIT_INTERPRETER, JIT_O3, LOOP_DEPTH});
    check_construction();
    run("interpreter", "level_cases", native_level_cases);
    run("interpreter", "operation_cases", native_operation_cases);
    check_interpreted();
    run_continued("interpreter", JIT_O2);
    for (jit_level level : {JIT_O0, JIT_O1, JIT_O2, JIT_O3}) {
        compile_all(level);
        run(jit_level_name(level), "level_cases", native_level_cases);
        run(jit_level_name(level), "operation_cases", native_operation_cases);
        check_growth(level);
    }
    for (jit_level level : {JIT_O0, JIT_O1, JIT_O2, JIT_O3}) {
        compile_all(JIT_O1); /* which gives the continuations up */
        compile_all(JIT_O0);
        run_continued("O0", level);
    }
    return failures ? 1 : 0;
}
