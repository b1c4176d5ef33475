/*
 * The full variant's app_main, native code: starts LLVM and the JIT, and then the application that
 * is inside as bitcode.
 */
#include "llvm-libc/glibc_abi/start.h"
#include "kernel_lib/jit/engine/compile_all.h"
#include "kernel_lib/jit/engine/embedded.h"
#include "kernel_lib/jit/engine/engine.h"
#include "kernel_lib/jit/engine/interpreter.h"
#include "kernel_lib/jit/engine/kernel.h"
#include "kernel_lib/jit/log.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit/settle/settle.h"
#include "kernel_lib/jit/store/persist.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/TargetSelect.h"
extern "C" {
#include "kernel_lib/coverage/application.h"
#include "kernel_lib/jit/store/run_mark.h"
#include "kernel_lib/jit_runtime.h"
#include "kernel_lib/program.h"
}

using namespace llvm;

namespace {

/* What the application's bitcode and a large compilation take. */
constexpr uint64_t LEAST_HEAP = 32 << 20;

/* LLVM has given up before there is an engine that could go on (recover.h). */
void fatal(void *, const char *reason, bool) {
    panic("LLVM: %s", reason);
}

void start_llvm() {
    glibc_abi_start();
    install_fatal_error_handler(fatal);
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
}

/* The bytes from start to end, both symbols. */
StringRef bytes(const char *start, const char *end) {
    return StringRef(start, static_cast<size_t>(end - start));
}

/* The bitcode in the file that the setting `bitcode` names, if there is one. */
struct GivenBitcode {
    bool wanted;
    StringRef bytes;
};

/* Reads it; the bytes stay. Panics with the reason when it cannot be read. */
GivenBitcode given_bitcode() {
    const char *path = config_get("bitcode");
    if (!path)
        return {};
    struct error error;
    struct file *file = file_open(path, &error);
    if (!file)
        panic("bitcode: %s", error.text);
    size_t size = file_size(file);
    auto *content = static_cast<char *>(malloc(size + 1));
    if (!content)
        panic("bitcode: there is no memory for the %zu bytes of %s", size, path);
    if (!file_read(file, 0, content, size, &error))
        panic("bitcode: %s", error.text);
    file_close(file);
    return {true, StringRef(content, size)};
}

/* For the coverage file: the application's functions. */
const char *application_function(size_t index, bool *has_run) {
    size_t count;
    jit_function *const *functions = jit_functions(&count);
    if (index >= count)
        return nullptr;
    *has_run = functions[index]->calls > 0;
    return functions[index]->name;
}

/* For programs: how long it took until the application can be called, in TSC cycles. */
void announce(size_t functions, uint64_t begin, uint64_t started) {
    console_event("{\"event\":\"llvm\",\"version\":\"%s\",\"functions\":%zu,\"start_cycles\":%lu,"
                  "\"program_cycles\":%lu,\"heap_bytes\":%lu}",
                  LLVM_VERSION_STRING, functions, started - begin, cpu_rdtsc() - started,
                  memory_usage().used);
}

void at_exit() {
    jit_persist_save();
    jit_settle_at_exit();
}

jit::Engine *running; /* once there is one, for other bitcode, too */
bool is_embedded;     /* the program that runs is the one in the kernel */

void write_native() {
    struct error error;
    if (!jit_export(&error))
        console_printf("warning: %s\n", error.text);
}

} // namespace

extern "C" void program_has_ended(int code) {
    if (!running)
        return;
    jit_print_log();
    if (is_embedded) {
        if (!jit_notes_progress())
            jit_report_costs();
        if (jit_settings()->write_native)
            write_native();
        jit_settle_at_end(code);
    }
    jit::compile_all(*running, *jit_settings());
}

extern "C" int app_main() {
    struct error error;
    if (!jit_configure(&error)) {
        console_printf("error: %s\n", error.text);
        return 1;
    }
    if (memory_usage().total < LEAST_HEAP) {
        console_printf(
            "error: too little memory: the compiler needs %lu MiB beside the kernel, and %lu are "
            "free; give the machine more\n",
            LEAST_HEAP >> 20, memory_usage().total >> 20);
        return 1;
    }
    uint64_t begin = cpu_rdtsc();
    start_llvm();
    uint64_t started = cpu_rdtsc();
    /* Static: they are used until the machine stops, when this function has returned. */
    GivenBitcode given = given_bitcode();
    static jit::Program program(given.wanted ? given.bytes : bytes(app_bitcode, app_bitcode_end),
                                bytes(libc_bitcode, libc_bitcode_end), given.wanted);
    static jit::Engine engine(program, __builtin_frame_address(0));
    const struct jit_settings *settings = jit_settings();
    jit::InterpreterOptions tier0 = {settings->tier0, settings->max_level,
                                     static_cast<unsigned>(settings->interpret_loops)};
    static jit::Interpreter interpreter(program, tier0);
    coverage_set_application(application_function);
    if (given.wanted) {
        /* What the disk has learnt is about the program in the kernel. */
        jit_policy_start(0, JIT_INTERPRETER, 0);
    } else {
        struct jit_earlier_boots earlier = jit_persist_start();
        jit_policy_start(earlier.boots, earlier.max_level, earlier.first_cycles);
        jit_settle_start();
        platform_on_exit(at_exit);
    }
    announce(program.entries().size(), begin, started);
    running = &engine;
    is_embedded = !given.wanted;
    jit::Entry *main = program.find("app_main");
    if (!main)
        panic("the application's bitcode has no app_main");
    program.construct();
    int code = reinterpret_cast<int (*)()>(main->stub)();
    program.destruct();
    return code;
}
