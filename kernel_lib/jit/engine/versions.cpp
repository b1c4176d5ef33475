/* Versions of functions' code. */
#include "kernel_lib/jit/engine/versions.h"
#include "kernel_lib/jit/engine/entry.h"
#include "kernel_lib/jit/engine/loops.h"
#include "kernel_lib/jit/engine/recover.h"
#include "kernel_lib/jit/log.h"

using namespace llvm;
using namespace jit;

static bool is_retired(const jit_version &version) {
    return !version.held && !version.installed;
}

Expected<jit_version *> Versions::add(Entry &entry, const jit_code &code,
                                      SmallVector<char, 0> object) {
    collect();
    auto resolve = [&](StringRef name) -> void * {
        if (name == PROFILE_SYMBOL)
            return static_cast<jit_function *>(&entry);
        if (name == "jit_note_call")
            return reinterpret_cast<void *>(jit_note_call);
        if (name == "jit_note_arguments")
            return reinterpret_cast<void *>(jit_note_arguments);
        if (name == NOTE_ROUNDS_SYMBOL)
            return reinterpret_cast<void *>(jit_note_rounds);
        if (name == LIVE_VALUES_SYMBOL)
            return live_values;
        return program.address(name);
    };
    MemoryBufferRef bytes(StringRef(object.data(), object.size()), entry.name);
    std::optional<LinkedCode> linked;
    bool finished = false;
    Error error = recovering(program, [&]() -> Error {
        auto made = linker.link(bytes, resolve);
        finished = true;
        if (!made)
            return made.takeError();
        linked = std::move(*made);
        return Error::success();
    });
    if (!finished)
        linker.abandon();
    if (error)
        return std::move(error);
    versions.push_back(
        std::make_unique<jit_version>(entry, code, std::move(*linked), std::move(object)));
    return versions.back().get();
}

void Versions::install(jit_version &version) {
    for (auto &other : versions)
        if (other->entry == version.entry)
            other->installed = false;
    version.installed = true;
    program.redirect(*version.entry, version.linked.entry);
    collect();
}

void Versions::release(jit_version &version) {
    version.held = false;
    version.object.clear(); /* the cache has it, if it is installed */
    collect();
}

size_t Versions::retired() const {
    return static_cast<size_t>(
        count_if(versions, [](const auto &version) { return is_retired(*version); }));
}

/* Not inlined, so that its frame is below the registers that collect() has saved. */
__attribute__((noinline)) void Versions::mark_running() {
    auto *word = static_cast<const uintptr_t *>(__builtin_frame_address(0));
    for (; word < stack_base; word++)
        for (size_t i = 0; i < versions.size(); i++) {
            const LinkedCode &code = versions[i]->linked;
            running[i] |= *word - reinterpret_cast<uintptr_t>(code.begin) < code.size;
        }
}

void Versions::collect() {
    if (none_of(versions, [](const auto &version) { return is_retired(*version); }))
        return;
    running.assign(versions.size(), false);
    __builtin_unwind_init(); /* registers may hold what belongs on the stack */
    mark_running();
    for (size_t i = 0, kept = 0; kept < versions.size(); i++) {
        if (running[i] || !is_retired(*versions[kept])) {
            kept++;
            continue;
        }
        if (Error error = linker.unlink(std::move(versions[kept]->linked)))
            jit_log("JIT: code of %s is not freed: %s", versions[kept]->entry->name,
                    toString(std::move(error)).c_str());
        versions.erase(versions.begin() + static_cast<ptrdiff_t>(kept));
    }
}
