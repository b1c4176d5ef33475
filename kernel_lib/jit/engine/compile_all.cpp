/* All code that there can be (jit.compile_all). */
#include "kernel_lib/jit/engine/compile_all.h"
#include "kernel_lib/jit/engine/loops.h"
#include "kernel_lib/jit/engine/lower.h"
#include "kernel_lib/jit/engine/profiled_arguments.h"
#include "kernel_lib/jit/engine/recover.h"
#include "kernel_lib/jit/log.h"
#include "llvm/Support/ErrorHandling.h"
extern "C" {
#include "kernel_lib/jit_runtime.h"
}

using namespace llvm;
using namespace jit;

namespace {

constexpr size_t TELL_EVERY = 10; /* functions */

/* The processors that JIT_ALL_FEATURES is made for, which need not run it: with different
 * vectors, and of both makers. The application's own kernels say what they are for: AVX2,
 * AVX-512. */
constexpr const char *PROCESSORS[] = {"nehalem", "haswell", "znver3", "sapphirerapids"};

class All {
  public:
    All(Engine &engine, bool general) : engine(engine), general(general) {}

    void make(Entry &entry) {
        const jit_value_profile seen = entry.values;
        bool loops = lower(entry);
        if (entry.values.count == 0)
            borrow_values(entry);
        make_levels(entry, loops);
        if (loops && general)
            make_continuation(entry);
        if (general) { /* and as at the first calls: of arguments, the policy later drops some */
            make_up_values(entry);
            for (jit_level level : {JIT_O2, JIT_O3})
                make_clones(entry, level, JIT_AS_WRITTEN);
        }
        entry.values = seen;
    }

    void tell(size_t functions, size_t all) const {
        console_event("{\"event\":\"compile_all\",\"functions\":%zu,\"of\":%zu,\"made\":%u,"
                      "\"failed\":%u,\"heap_used\":%llu}",
                      functions, all, made, failed,
                      static_cast<unsigned long long>(memory_usage().used));
        jit_print_log();
    }

  private:
    void make_levels(Entry &entry, bool loops) {
        for (jit_level level : {JIT_O0, JIT_O1, JIT_O2, JIT_O3})
            make(entry, level, JIT_AS_WRITTEN);
        if (loops)
            make(entry, JIT_O3, JIT_FREE_LOOPS);
        for (const char *processor : PROCESSORS) {
            engine.compiler.set_processor(processor);
            make(entry, JIT_O3, JIT_ALL_FEATURES | (loops ? JIT_FREE_LOOPS : 0));
        }
        engine.compiler.set_processor("");
    }

    /* Whether the function has loops. */
    bool lower(Entry &entry) {
        bool loops = false;
        Error error = recovering(engine.program, [&]() -> Error {
            const char *reason;
            loops = loop_depth(*entry.function) > 0;
            Lowering(engine.program).lower(*entry.function, &reason);
            return Error::success();
        });
        failed += !!error;
        consumeError(std::move(error));
        return loops;
    }

    void make(Entry &entry, jit_level level, unsigned options) {
        if (general)
            make_one(entry, {&entry, level, false, options});
        if (level >= JIT_O2)
            make_clones(entry, level, options);
    }

    void make_clones(Entry &entry, jit_level level, unsigned options) {
        if (entry.values.count > 0)
            make_one(entry, {&entry, level, true, options});
    }

    void make_one(Entry &entry, const jit_code &code) {
        jit_version *version = engine.make(entry, code);
        if (version)
            engine.versions.release(*version);
        ++(version ? made : failed);
    }

    /* From the first loop. */
    void make_continuation(Entry &entry) {
        if (loop_heads(*entry.function).empty())
            return;
        bool good = engine.make_continuation(entry, JIT_O2, 0);
        engine.release_continuations(entry);
        ++(good ? made : failed);
    }

    /* Alternatives of a function (kernels for wider vectors) are called with the same arguments. */
    void borrow_values(Entry &entry) {
        for (const Entry &other : engine.program.entries())
            if (other.values.count > 0 &&
                other.function->getFunctionType() == entry.function->getFunctionType()) {
                entry.values = other.values;
                return;
            }
    }

    /* A position at its beginning, a flag, a size. */
    void make_up_values(Entry &entry) {
        jit_value_profile &values = entry.values;
        values.arguments = static_cast<uint8_t>(profiled_arguments(*entry.function).size());
        values.count = 0;
        for (uint64_t value : {0, 1, 64})
            if (values.arguments > 0)
                std::fill_n(values.frequent[values.count++].values, JIT_ARGUMENTS, value);
    }

    Engine &engine;
    bool general;
    unsigned made = 0, failed = 0;
};

} // namespace

/* What fails on purpose is nothing for the user to read. */
void jit::rehearse_failures(Program &program) {
    size_t end = jit_log_end();
    Error error =
        recovering(program, []() -> Error { report_fatal_error("not an error: a rehearsal"); });
    jit_log("JIT: %s", toString(std::move(error)).c_str());
    jit_function &function = program.entries()[0];
    const jit_code code = {&function, JIT_O0, false, JIT_AS_WRITTEN};
    StringRef object = "no object: a rehearsal";
    jit_load(&function, &code, object.data(), object.size());
    jit_log_discard(end);
}

void jit::compile_all(Engine &engine, const struct jit_settings &settings) {
    if (settings.compile_all == JIT_COMPILE_NONE)
        return;
    rehearse_failures(engine.program);
    if (settings.compile_all == JIT_COMPILE_FAILURES)
        return;
    All all(engine, settings.compile_all == JIT_COMPILE_ALL);
    auto entries = engine.program.entries();
    for (size_t i = 0; i < entries.size(); i++) {
        if (i % settings.compile_parts == settings.compile_part - 1)
            all.make(entries[i]);
        if ((i + 1) % TELL_EVERY == 0 || i + 1 == entries.size())
            all.tell(i + 1, entries.size());
    }
}
