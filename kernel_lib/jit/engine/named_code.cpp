#include "kernel_lib/jit/engine/named_code.h"
#include "kernel_lib/jit/engine/enter.h"
#include "kernel_lib/jit/settings.h"

namespace jit {

static std::vector<CodeSymbol> symbols(const std::string &function, const jit_code &code,
                                       const LinkedCode &linked) {
    std::string prefix = function + "." + jit_level_name(code.level) + ".";
    if (code.body->name != function)
        prefix += std::string(code.body->name) + ".";
    std::vector<CodeSymbol> named(linked.functions.begin(), linked.functions.end());
    for (CodeSymbol &symbol : named) {
        llvm::StringRef name = symbol.name;
        name.consume_front("jit_");
        symbol.name = prefix + name.str();
    }
    return named;
}

NamedCode::NamedCode(const char *function_name, const jit_code &code, const LinkedCode &linked)
    : function(function_name), body(code.body->name), level(code.level),
      specialised(code.specialised),
      debug_object(linked.begin, linked.size, symbols(function_name, code, linked)) {
    auto address = [](const void *pointer) { return reinterpret_cast<uintptr_t>(pointer); };
    range.begin = address(linked.begin);
    range.end = range.begin + linked.size;
    /* What counts the calls of fast code and jumps there (entry.cpp); otherwise, the function's
     * first instruction, whatever it is. */
    range.frameless_begin = address(linked.entry);
    range.frameless_end = range.frameless_begin + (level > JIT_O0 ? linked.entry_size : 1);
    range.print = print;
    code_range_add(&range);
}

NamedCode::~NamedCode() {
    code_range_remove(&range);
}

void NamedCode::print(const code_range *found, uintptr_t address, uintptr_t) {
    /* The range is its object's first member. */
    const auto &code = *reinterpret_cast<const NamedCode *>(found);
    const char *of = code.body == code.function ? "" : " of ";
    console_printf("%s (%s%s%s%s)+0x%lx", code.function, jit_level_name(code.level),
                   code.specialised ? " specialised" : "", of, *of ? code.body : "",
                   address - found->begin);
}

static void print_stub(const code_range *, uintptr_t address, uintptr_t) {
    size_t offset;
    const Entry &entry = program().near(address, offset);
    console_printf("%s (stub)+0x%zx", entry.name, offset);
}

/* jit_enter has left the function's index in its frame. */
static void print_interpreted(const code_range *, uintptr_t, uintptr_t frame_pointer) {
    size_t count, index = reinterpret_cast<const uint64_t *>(frame_pointer)[-1];
    jit_function *const *functions = jit_functions(&count);
    console_printf("%s (interpreter)", index < count ? functions[index]->name : "jit_enter");
}

static std::vector<CodeSymbol> symbols(const Slots &slots, llvm::ArrayRef<Entry> entries) {
    std::vector<CodeSymbol> named;
    for (const Entry &entry : entries)
        named.push_back({entry.name, static_cast<const char *>(entry.stub), Slots::STUB_SIZE});
    auto *trampolines = static_cast<const char *>(slots.trampoline(0));
    named.push_back(
        {"jit_reentry_trampolines", trampolines, static_cast<size_t>(slots.end() - trampolines)});
    return named;
}

void name_stubs(const Slots &slots, llvm::ArrayRef<Entry> entries) {
    static code_range stubs, interpreted;
    stubs.begin = stubs.frameless_begin = reinterpret_cast<uintptr_t>(slots.begin());
    stubs.end = stubs.frameless_end = reinterpret_cast<uintptr_t>(slots.end());
    stubs.print = print_stub;
    code_range_add(&stubs);
    interpreted.end = reinterpret_cast<uintptr_t>(__jit_enter_called);
    interpreted.begin = interpreted.end - 1; /* where a return address is looked up */
    interpreted.print = print_interpreted;
    code_range_add(&interpreted);
    new DebugObject(slots.begin(), static_cast<size_t>(slots.end() - slots.begin()),
                    symbols(slots, entries)); /* never destroyed, like the program */
}

} // namespace jit
