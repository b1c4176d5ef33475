/* The running program's kernel writes a trimmed copy of itself. */
#include "kernel_lib/jit/engine/compile_all.h"
#include "kernel_lib/jit/export/export.h"
#include "kernel_lib/jit/export/memory_check.h"
extern "C" {
#include "kernel_lib/jit_runtime.h"
#include "kernel_lib/life/trim/self_trim.h"
}

using namespace llvm;
using namespace jit;

/* The most frequently called function: there are loops and calls in its neighbourhood. */
static jit_function &most_called() {
    auto entries = program().entries();
    return *std::max_element(entries.begin(), entries.end(),
                             [](const Entry &a, const Entry &b) { return a.calls < b.calls; });
}

/* Runs what the copy needs although it may not have run yet: it is to compile on every level, free
 * code, give compilations up, and write a native kernel. */
static bool rehearse(jit_go_on *go_on, struct error *error) {
    jit_function &function = most_called();
    for (jit_level level : {JIT_O0, JIT_O1, JIT_O2, JIT_O3})
        for (bool specialise : {false, true})
            if (jit_version *version =
                    jit_make(&function, &function, level, specialise, JIT_AS_WRITTEN))
                jit_release(version);
    rehearse_failures(program());
    return rehearse_export(go_on, error);
}

/* For the rehearsal, part of which is lost when compilations are given up, then for the unpacked
 * kernel and the compressor. */
static bool has_memory_to_trim(struct error *error) {
    return has_memory(self_trim_memory() + EXPORT_MEMORY, error);
}

extern "C" bool jit_write_trimmed(jit_go_on *go_on, struct error *error) {
    return self_trim_possible(error) && has_memory_to_trim(error) && rehearse(go_on, error) &&
           self_trim(go_on, error);
}

extern "C" bool jit_trim(struct error *error) {
    return jit_write_trimmed([] { return true; }, error);
}
