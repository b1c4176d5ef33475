#include "kernel_lib/jit/export/export.h"
#include "kernel_lib/jit/engine/embedded.h"
#include "kernel_lib/jit/engine/recover.h"
#include "kernel_lib/jit/export/application.h"
#include "kernel_lib/jit/export/kernel_linker.h"
#include "kernel_lib/jit/export/memory_check.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit/store/persist.h"
extern "C" {
#include "kernel_lib/generations.h"
#include "kernel_lib/jit_runtime.h"
#include "kernel_lib/life/trim/pack.h"
}

using namespace llvm;
using namespace jit;

/* The profile that the newest native kernel was made from, or is to be. */
constexpr char PROFILE_PATH[] = "/profile/EXPORT.PRF";
constexpr size_t MAX_PROFILE = 4 << 20;
constexpr uint64_t STACK_SIZE = 64 << 10; /* linker.ld's */

static StringRef bytes(const char *begin, const char *end) {
    return StringRef(begin, static_cast<size_t>(end - begin));
}

Expected<NativeKernel> jit::native_kernel(Program &program, StringRef profile, jit_go_on *go_on) {
    NativeKernel kernel;
    if (struct error lacking; !has_memory(EXPORT_MEMORY, &lacking))
        return createStringError(lacking.text);
    Error error = recovering(program, [&]() -> Error {
        auto exists = [&](StringRef name) { return program.address(name) != nullptr; };
        auto application =
            compile_application(bytes(app_bitcode, app_bitcode_end),
                                bytes(libc_bitcode, libc_bitcode_end), profile, exists, go_on);
        if (!application)
            return application.takeError();
        KernelLinker linker;
        StringRef half = bytes(native_kernel_object, native_kernel_object_end);
        StringRef object(application->object.data(), application->object.size());
        StringRef precompiled = bytes(application_object, application_object_end);
        if (Error error = linker.add_kernel(MemoryBufferRef(half, "the kernel")))
            return error;
        if (Error error = linker.add_application(MemoryBufferRef(object, "the application")))
            return error;
        if (Error error =
                linker.add_application(MemoryBufferRef(precompiled, "the build's application")))
            return error;
        auto linked = linker.link(STACK_SIZE);
        if (!linked)
            return linked.takeError();
        kernel.file = std::move(*linked);
        kernel.learnt = std::move(application->learnt);
        kernel.compiled = application->functions;
        return Error::success();
    });
    if (error)
        return std::move(error);
    struct error why;
    auto *image = reinterpret_cast<uint8_t *>(kernel.file.data());
    size_t size = kernel_pack(image, go_on, &why);
    if (size == 0)
        return createStringError(why.text);
    kernel.file.resize(size);
    return kernel;
}

/* What the export took, for programs. */
static void announce(const NativeKernel &kernel, uint64_t cycles) {
    const Learnt &learnt = kernel.learnt;
    console_event("{\"event\":\"export\",\"kernel_bytes\":%zu,\"cycles\":%lu,\"peak_bytes\":%lu,"
                  "\"hot\":%lu,\"clones\":%lu,\"chosen\":%lu,\"compiled\":%zu,\"needs\":\"%s\"}",
                  kernel.file.size(), cycles, memory_usage().peak, learnt.hot, learnt.clones,
                  learnt.chosen, kernel.compiled, learnt.features.c_str());
}

static char *read_profile(const char *path, size_t *size, struct error *error) {
    return reinterpret_cast<char *>(generation_read(path, MAX_PROFILE, size, error));
}

/* The profile to export with: that of the file which jit.export_profile names, that of the
 * rehearsal, or this machine's. */
static char *profile_text(bool as_rehearsed, size_t *size, struct error *error) {
    const char *path = jit_settings()->export_profile;
    if (*path)
        return read_profile(path, size, error);
    char *text = as_rehearsed ? read_profile(PROFILE_PATH, size, error) : nullptr;
    text = text ? text : jit_profile_text(size);
    if (!text)
        error_set(error, "There is no memory for the profile.");
    return text;
}

/* Whether there is a kernel. */
static bool is_made(Expected<NativeKernel> &kernel, struct error *error) {
    return kernel ||
           error_set(error, "No kernel was made: %.150s", toString(kernel.takeError()).c_str());
}

bool jit::rehearse_export(jit_go_on *go_on, struct error *error) {
    size_t size;
    char *text = profile_text(false, &size, error);
    if (!text)
        return false;
    auto kernel = native_kernel(program(), StringRef(text, size), go_on);
    bool good = is_made(kernel, error) && generation_write(PROFILE_PATH, text, size, error);
    free(text);
    return good;
}

extern "C" bool jit_write_native(bool as_rehearsed, jit_go_on *go_on, struct error *error) {
    uint64_t begin = cpu_rdtsc();
    size_t size;
    char *text = profile_text(as_rehearsed, &size, error);
    if (!text)
        return false;
    auto kernel = native_kernel(program(), StringRef(text, size), go_on);
    bool good = false;
    if (is_made(kernel, error)) {
        announce(*kernel, cpu_rdtsc() - begin);
        new_snapshot snapshot = {"native", kernel->file.data(), kernel->file.size(),
                                 kernel->learnt.features.c_str(), kernel->learnt.model.c_str()};
        good = generation_write(PROFILE_PATH, text, size, error) && snapshots_add(&snapshot, error);
    }
    free(text);
    return good;
}

extern "C" bool jit_export(struct error *error) {
    return jit_write_native(false, [] { return true; }, error);
}
