#include "kernel_lib/jit/export/export.h"
#include "kernel_lib/jit/engine/embedded.h"
#include "kernel_lib/jit/engine/recover.h"
#include "kernel_lib/jit/export/application.h"
#include "kernel_lib/jit/export/kernel_linker.h"
extern "C" {
#include "kernel_lib/jit_runtime.h"
}

using namespace llvm;
using namespace jit;

constexpr uint64_t STACK_SIZE = 64 << 10; /* linker.ld's */

static StringRef bytes(const char *begin, const char *end) {
    return StringRef(begin, static_cast<size_t>(end - begin));
}

Expected<std::vector<char>> jit::native_kernel(Program &program) {
    std::vector<char> kernel;
    Error error = recovering(program, [&]() -> Error {
        auto exists = [&](StringRef name) { return program.address(name) != nullptr; };
        auto application = compile_application(bytes(app_bitcode, app_bitcode_end),
                                               bytes(libc_bitcode, libc_bitcode_end), exists);
        if (!application)
            return application.takeError();
        KernelLinker linker;
        StringRef half = bytes(native_kernel_object, native_kernel_object_end);
        StringRef object(application->data(), application->size());
        if (Error error = linker.add(MemoryBufferRef(half, "the kernel")))
            return error;
        if (Error error = linker.add(MemoryBufferRef(object, "the application")))
            return error;
        auto linked = linker.link(STACK_SIZE);
        if (!linked)
            return linked.takeError();
        kernel = std::move(*linked);
        return Error::success();
    });
    if (error)
        return std::move(error);
    return kernel;
}

/* What the export took, for programs. */
static void announce(size_t size, uint64_t compiled) {
    console_event("{\"event\":\"export\",\"kernel_bytes\":%zu,\"cycles\":%lu,\"peak_bytes\":%lu}",
                  size, compiled, memory_usage().peak);
}

extern "C" bool jit_export(struct error *error) {
    uint64_t begin = cpu_rdtsc();
    auto kernel = native_kernel(program());
    if (!kernel)
        return error_set(error, "No kernel was made: %.150s", toString(kernel.takeError()).c_str());
    announce(kernel->size(), cpu_rdtsc() - begin);
    return snapshots_add("native", kernel->data(), kernel->size(), error);
}
