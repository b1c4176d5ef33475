/* Compiles, links and installs versions for the policy and for the object cache. */
#include "kernel_lib/jit/engine/engine.h"
#include "kernel_lib/jit/engine/recover.h"
#include "kernel_lib/jit/float_environment.h"
#include "kernel_lib/jit/log.h"
#include "kernel_lib/jit/settings.h"

using namespace llvm;
using namespace jit;

/* What compiling a large function at O3 may take. Running out of memory in the middle is survived,
 * but what was allocated is lost. */
static constexpr uint64_t MEMORY_TO_COMPILE = 12 << 20;

/* Of all memory, what may be lost by giving up compilations, before no more are begun. */
static constexpr uint64_t MOST_LOST_PART = 4;

/* Compilations for a level in a row that called removed functions, before it is tried no more: each
 * of them loses memory, and the next one is likely to need the same. */
static constexpr unsigned MOST_MISSES = 3;

static Engine *engine;
static jit_stored *stored;

Engine::Engine(Program &program, const void *stack_base)
    : program(program), compiler(program), versions(program, stack_base) {
    engine = this;
}

static jit_version *failed(const jit_function &function, jit_level level, Error error) {
    std::string text = toString(std::move(error));
    std::string why = StringRef(text).split('\n').first.str(); /* below may be a drawing */
    const char *name = jit_level_name(level);
    engine->costs.failed++;
    jit_log("JIT: %s cannot be compiled at %s: %s", function.name, name, why.c_str());
    jit_log_event("{\"event\":\"tier_failed\",\"function\":\"%s\",\"level\":\"%s\"}", function.name,
                  name);
    return nullptr;
}

jit_version *Engine::link(jit_function &function, const jit_code &code,
                          SmallVector<char, 0> object) {
    auto version = versions.add(entry_of(function), code, std::move(object));
    return version ? *version : failed(function, code.level, version.takeError());
}

/* Once, for the whole program; what is compiled already goes on. */
bool Engine::stops(const struct memory_usage &memory) {
    if (!stopped && lost_memory() > memory.total / MOST_LOST_PART) {
        stopped = true;
        jit_log("JIT: nothing is compiled any more: of %llu MiB of memory, %llu were lost when "
                "compilations had to be given up",
                static_cast<unsigned long long>(memory.total >> 20),
                static_cast<unsigned long long>(lost_memory() >> 20));
    }
    costs.failed += stopped;
    return stopped;
}

/* Once for a level. */
void Engine::note_miss(jit_level level) {
    if (++misses[level] == MOST_MISSES)
        jit_log("JIT: nothing is compiled at %s any more: it takes functions that were removed",
                jit_level_name(level));
}

namespace {

/* Where the compiler works and links, with the default floating-point environment. */
class OwnFloats {
  public:
    OwnFloats() { jit_float_begin(&program); }
    ~OwnFloats() { jit_float_end(&program); }
    OwnFloats(const OwnFloats &) = delete;
    OwnFloats &operator=(const OwnFloats &) = delete;

  private:
    jit_float_environment program;
};

} // namespace

/* The object of the function that the work makes on this level; nothing when that failed. */
std::optional<Engine::Object> Engine::compile(const jit_function &function, jit_level level,
                                              function_ref<Expected<Object>()> work) {
    struct memory_usage memory = memory_usage();
    if (stops(memory))
        return std::nullopt;
    if (misses[level] >= MOST_MISSES) {
        costs.failed++;
        return std::nullopt;
    }
    if (memory.total - memory.used < MEMORY_TO_COMPILE) {
        failed(function, level, createStringError("too little memory is left"));
        return std::nullopt;
    }
    uint64_t begin = cpu_rdtsc();
    Expected<Object> object = work();
    costs.compiled++;
    costs.compile_cycles += cpu_rdtsc() - begin;
    if (!object) {
        if (jit_lacked_function())
            note_miss(level);
        failed(function, level, object.takeError());
        return std::nullopt;
    }
    misses[level] = 0;
    return std::move(*object);
}

jit_version *Engine::make(jit_function &function, jit_code code) {
    OwnFloats floats;
    auto object =
        compile(function, code.level, [&] { return compiler.compile(entry_of(function), code); });
    return object ? link(function, code, std::move(*object)) : nullptr;
}

jit_version *Engine::make_continuation(Entry &entry, jit_level level, size_t head) {
    OwnFloats floats;
    auto object =
        compile(entry, level, [&] { return compiler.compile_continuation(entry, level, head); });
    jit_version *version =
        object ? link(entry, {&entry, level, false, JIT_AS_WRITTEN}, std::move(*object)) : nullptr;
    if (version) {
        version->object.clear(); /* nothing keeps it */
        entry.continuations.push_back({head, version});
    }
    return version;
}

/* Their calls that run go on in them. */
void Engine::release_continuations(Entry &entry) {
    for (const Continuation &continuation : std::exchange(entry.continuations, {}))
        versions.release(*continuation.version);
}

jit_version *Engine::load(jit_function &function, const jit_code &code, StringRef object) {
    jit_version *version = link(function, code, SmallVector<char, 0>(object.begin(), object.end()));
    if (version)
        version->object.clear(); /* the cache has it */
    return version;
}

void Engine::install(jit_version &version, const char *reason) {
    jit_function &function = *version.entry;
    versions.install(version);
    function.level = version.code.level;
    function.specialised = version.code.specialised;
    function.body = version.code.body == &function ? nullptr : version.code.body;
    function.reason = reason;
    if (version.code.level > JIT_O0)
        release_continuations(entry_of(function));
    /* Again every time while it is held: the cache has forgotten it if another version was
     * installed when it was saved. */
    const SmallVector<char, 0> &object = version.object;
    if (stored)
        stored(&function, &version.code, object.empty() ? nullptr : object.data(), object.size());
}

bool jit_compile(jit_function *function, jit_level level, bool specialise, const char *reason) {
    jit_function *body = function->body ? function->body : function;
    jit_version *version = jit_make(function, body, level, specialise, JIT_AS_WRITTEN);
    if (!version) {
        if (function->highest >= level)
            function->highest = static_cast<jit_level>(level - 1);
        return false;
    }
    jit_install(function, version, reason);
    jit_release(version);
    return true;
}

jit_version *jit_make(jit_function *function, jit_function *body, jit_level level, bool specialise,
                      unsigned options) {
    return engine->make(*function, {body, level, specialise, options});
}

jit_version *jit_load(jit_function *function, const jit_code *code, const void *object,
                      size_t size) {
    return engine->load(*function, *code, {static_cast<const char *>(object), size});
}

void jit_install(jit_function *, jit_version *version, const char *reason) {
    engine->install(*version, reason);
}

void jit_on_install(jit_stored *function) {
    stored = function;
}

void jit_release(jit_version *version) {
    engine->versions.release(*version);
}

void *jit_continuation(jit_function *function, uint32_t head) {
    for (const Continuation &continuation : entry_of(*function).continuations)
        if (continuation.head == head)
            return continuation.version->linked.entry;
    return nullptr;
}

void *jit_make_continuation(jit_function *function, uint32_t head, jit_level level) {
    jit_version *version = engine->make_continuation(entry_of(*function), level, head);
    return version ? version->linked.entry : nullptr;
}

struct jit_costs jit_costs() {
    struct jit_costs costs = engine->costs;
    costs.code_bytes = engine->versions.bytes();
    costs.retired = engine->versions.retired();
    return costs;
}
