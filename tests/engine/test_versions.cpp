// sources: tests/engine/engine_fixture.cpp
/* Code for a function on every level: results, counting, specialisation, failures, freeing. */
#include "kernel_lib/jit/engine/debug_object.h"
#include "tests/engine/engine_fixture.h"
#include "llvm/Object/ELFObjectFile.h"

#include <fstream>
#include <map>

static const char ASSEMBLY[] = R"(
@scale = internal constant i32 3
@sum = global i64 0

define i32 @triple(i32 %x) {
    %s = load i32, ptr @scale
    %y = mul i32 %x, %s
    ret i32 %y
}

; Whether it is a copy in which the optimiser knows count.
define i32 @knows_count(ptr %unused, i32 %count) {
    %known = call i1 @llvm.is.constant.i32(i32 %count)
    %bit = zext i1 %known to i32
    %t = call i32 @triple(i32 %count)
    %high = shl i32 %t, 1
    %result = or i32 %high, %bit
    ret i32 %result
}
declare i1 @llvm.is.constant.i32(i32)

; Products that a fused operation would round differently.
define float @chain(ptr %a, ptr %b, i32 %count) {
entry:
    br label %loop
loop:
    %i = phi i32 [ 0, %entry ], [ %next, %loop ]
    %sum = phi float [ 0.0, %entry ], [ %new, %loop ]
    %pa = getelementptr float, ptr %a, i32 %i
    %pb = getelementptr float, ptr %b, i32 %i
    %va = load float, ptr %pa
    %vb = load float, ptr %pb
    %product = fmul float %va, %vb
    %new = fadd float %sum, %product
    store float %new, ptr %pa
    %next = add i32 %i, 1
    %more = icmp ult i32 %next, %count
    br i1 %more, label %loop, label %end, !llvm.loop !0
end:
    ret float %new
}
!0 = distinct !{!0, !1}
!1 = !{!"llvm.loop.unroll.disable"}

; Runs native code while it runs itself.
define i64 @calls_hook(i64 %x) {
    call void @hook()
    %old = load i64, ptr @sum
    %new = add i64 %old, %x
    store i64 %new, ptr @sum
    ret i64 %new
}
declare void @hook()

define i32 @factorial(i32 %n) {
    %small = icmp ult i32 %n, 2
    br i1 %small, label %one, label %more
one:
    ret i32 1
more:
    %less = sub i32 %n, 1
    %rest = call i32 @factorial(i32 %less)
    %result = mul i32 %n, %rest
    ret i32 %result
}

define i32 @seven_times(i32 %x) {
    %y = mul i32 %x, 7
    ret i32 %y
}

define i64 @sums(i64 %a, i128 %wide, i32 %b) {
    %high = lshr i128 %wide, 64
    %low = trunc i128 %high to i64
    %long = zext i32 %b to i64
    %both = add i64 %a, %low
    %result = add i64 %both, %long
    ret i64 %result
}

define i32 @bad_assembly(i32 %x) {
    call void asm sideeffect "nonsense", ""()
    ret i32 %x
}
define i32 @calls_nobody(i32 %x) {
    %y = call i32 @there_is_no_such_function(i32 %x)
    ret i32 %y
}
declare i32 @there_is_no_such_function(i32)
)";

static void (*in_hook)();
extern "C" void hook() {
    if (in_hook)
        in_hook();
}

extern "C" {
const jit_host_symbol jit_host_symbols[] = {
    {"hook", reinterpret_cast<void *>(hook)},
    {"memcpy", reinterpret_cast<void *>(memcpy)},
    {"memset", reinterpret_cast<void *>(memset)},
};
const size_t jit_host_symbol_count = sizeof jit_host_symbols / sizeof *jit_host_symbols;
}

static const jit_level COMPILED[] = {JIT_O0, JIT_O1, JIT_O2, JIT_O3};

static void test_results_and_counts() {
    auto *triple = address<int32_t(int32_t)>("triple");
    auto *factorial = address<int32_t(int32_t)>("factorial");
    CHECK(triple(14) == 42 && factorial(10) == 3628800);
    jit_function *function = profile("factorial");
    for (jit_level level : COMPILED) {
        CHECK(jit_compile(profile("triple"), level, false, "test"));
        CHECK(jit_compile(function, level, false, "test"));
        CHECK(function->level == level && !function->specialised && !function->body);
        uint64_t before = function->calls;
        noted_calls.clear();
        CHECK(triple(-5) == -15 && factorial(10) == 3628800);
        CHECK(noted_calls.back().function == function && noted_calls.back().level == level);
        /* An optimiser may turn the recursion into a loop. */
        CHECK(function->calls > before && noted_calls.size() == function->calls - before + 1);
    }
    /* Calls 8, 16, 24 and 32 of 32. */
    function = profile("triple");
    function->calls = 0;
    function->sample_mask = 7;
    noted_calls.clear();
    for (int i = 0; i < 32; i++)
        triple(i);
    CHECK(function->calls == 32 && noted_calls.size() == 4);
    function->sample_mask = 0;
}

static void test_specialisation() {
    jit_function *function = profile("knows_count");
    auto *knows_count = address<int32_t(void *, int32_t)>("knows_count");
    CHECK(function->values.arguments == 1); /* the pointer does not count */
    noted_arguments.clear();
    CHECK(knows_count(nullptr, -1) == -6);
    CHECK(noted_arguments == (std::vector<std::vector<uint64_t>>{{UINT32_MAX}}));
    function->values.frequent[0] = {{64}, 10};
    function->values.frequent[1] = {{UINT32_MAX}, 20};
    function->values.count = 2;
    for (jit_level level : {JIT_O2, JIT_O3}) {
        CHECK(jit_compile(function, level, false, "test") && !function->specialised);
        CHECK(knows_count(nullptr, 64) == 384 && knows_count(nullptr, 5) == 30);
        CHECK(jit_compile(function, level, true, "test") && function->specialised);
        CHECK(knows_count(nullptr, 64) == 385 && knows_count(nullptr, -1) == (-6 | 1));
        CHECK(knows_count(nullptr, 5) == 30);
    }
}

/* Of the arguments, those count whose values fit into 64 bits. */
static void test_wide_argument() {
    jit_function *function = profile("sums");
    auto *sums = address<uint64_t(uint64_t, unsigned __int128, uint32_t)>("sums");
    CHECK(function->values.arguments == 2);
    function->values.frequent[0] = {{5, 9}, 10};
    function->values.count = 1;
    for (jit_level level : COMPILED) {
        CHECK(jit_compile(function, level, level >= JIT_O2, "test"));
        CHECK(function->specialised == (level >= JIT_O2));
        noted_arguments.clear();
        CHECK(sums(5, static_cast<unsigned __int128>(7) << 64, 9) == 21);
        CHECK(sums(6, static_cast<unsigned __int128>(7) << 64, 9) == 22);
        CHECK(noted_arguments == (std::vector<std::vector<uint64_t>>{{5, 9}, {6, 9}}));
    }
}

/* The sums, and what the arrays hold afterwards, at every level and in every shape. */
static void test_same_bits() {
    enum { COUNT = 37 };
    float a[COUNT], b[COUNT], sums[COUNT], sum = 0;
    for (int i = 0; i < COUNT; i++) {
        a[i] = 1.0f + static_cast<float>(i) * 0x1.234568p-7f;
        b[i] = 1.0f / static_cast<float>(i + 3);
        volatile float product = a[i] * b[i]; /* rounded by itself */
        sum = sums[i] = sum + product;
    }
    jit_function *function = profile("chain");
    auto *chain = address<float(float *, float *, uint32_t)>("chain");
    for (jit_level level : COMPILED)
        for (unsigned shape = 0; shape <= (JIT_ALL_FEATURES | JIT_FREE_LOOPS); shape++) {
            jit_version *version = jit_make(function, function, level, false, shape);
            CHECK(version);
            jit_install(function, version, "test");
            jit_release(version);
            float changed[COUNT];
            memcpy(changed, a, sizeof a);
            CHECK(chain(changed, b, COUNT) == sum);
            CHECK(memcmp(changed, sums, sizeof sums) == 0);
        }
}

static void test_alternative() {
    auto *triple = address<int32_t(int32_t)>("triple");
    jit_function *function = profile("triple"), *other = profile("seven_times");
    CHECK(jit_function_at(reinterpret_cast<void *>(triple)) == function);
    jit_version *seven = jit_make(function, other, JIT_O2, false, JIT_AS_WRITTEN);
    jit_version *three = jit_make(function, function, JIT_O2, false, JIT_AS_WRITTEN);
    CHECK(seven && three && triple(2) == 6);
    jit_install(function, seven, "autotuning");
    CHECK(triple(2) == 14 && function->body == other &&
          strcmp(function->reason, "autotuning") == 0);
    jit_install(function, three, "autotuning");
    CHECK(triple(2) == 6 && !function->body);
    jit_install(function, seven, "best");
    jit_release(seven);
    jit_release(three);
    CHECK(triple(2) == 14);
    CHECK(jit_compile(function, JIT_O3, false, "test")); /* the chosen body's */
    CHECK(triple(2) == 14 && function->body == other);
    function->body = nullptr;
    CHECK(jit_compile(function, JIT_O3, false, "test") && triple(2) == 6);
}

static void test_object_cache() {
    jit_function *function = profile("knows_count");
    auto *knows_count = address<int32_t(void *, int32_t)>("knows_count");
    stored.clear();
    CHECK(jit_compile(function, JIT_O2, true, "test"));
    CHECK(stored.size() == 1 && stored[0].function == function && stored[0].code.specialised);
    CHECK(stored[0].code.body == function && stored[0].code.level == JIT_O2);
    stored_code kept = stored[0];
    CHECK(jit_compile(function, JIT_O0, false, "test") && knows_count(nullptr, 64) == 384);
    uint64_t compiled = jit_costs().compiled;
    jit_version *version = jit_load(function, &kept.code, kept.object.data(), kept.object.size());
    CHECK(version);
    jit_install(function, version, "object cache");
    jit_release(version);
    CHECK(knows_count(nullptr, 64) == 385 && jit_costs().compiled == compiled);
    CHECK(function->level == JIT_O2 && function->specialised);
    CHECK(stored.back().object.empty()); /* the cache has it */
    kept.object.resize(kept.object.size() / 2);
    CHECK(!jit_load(function, &kept.code, kept.object.data(), kept.object.size()));
    CHECK(knows_count(nullptr, 64) == 385);
}

static void check_failure(jit_function *function, jit_level level, const char *why) {
    auto *slot = jit::entry_of(*function).slot;
    void *code = *slot;
    uint64_t bytes = jit_costs().code_bytes, failed = jit_costs().failed;
    messages.clear();
    CHECK(!jit_compile(function, level, false, "test"));
    CHECK(*slot == code && function->highest == level - 1);
    CHECK(jit_costs().code_bytes == bytes && jit_costs().failed == failed + 1);
    CHECK(messages.size() == 1 && messages[0].find(function->name) != std::string::npos);
    if (messages[0].find(why) == std::string::npos)
        fprintf(stderr, "\"%s\" is not in \"%s\"\n", why, messages[0].c_str());
    CHECK(messages[0].find(why) != std::string::npos);
    function->highest = JIT_O3;
}

static void test_failures() {
    for (jit_level level : COMPILED) {
        check_failure(profile("bad_assembly"), level, "asm parser");
        check_failure(profile("calls_nobody"), level, "there_is_no_such_function");
    }
    no_memory = true;
    check_failure(profile("triple"), JIT_O2, "memory");
    no_memory = false;
    no_pages = true;
    check_failure(profile("triple"), JIT_O2, "no memory for");
    no_pages = false;
    /* What LLVM left behind is in nobody's way. */
    CHECK(jit_compile(profile("triple"), JIT_O2, false, "test"));
    CHECK(address<int32_t(int32_t)>("triple")(5) == 15);
}

/* All memory of retired versions is free again. */
static void check_freed(uint64_t bytes) {
    clear_dead_stack();
    CHECK(jit_compile(profile("seven_times"), JIT_O1, false, "test")); /* looks for free ones */
    CHECK(jit_costs().retired == 0);
    CHECK(jit_costs().code_bytes == bytes);
}

static void test_freeing() {
    CHECK(jit_compile(profile("seven_times"), JIT_O1, false, "test"));
    CHECK(jit_compile(profile("triple"), JIT_O2, false, "test"));
    clear_dead_stack();
    CHECK(jit_compile(profile("triple"), JIT_O2, false, "test"));
    uint64_t bytes = jit_costs().code_bytes;
    CHECK(bytes > 0);
    for (int i = 0; i < 50; i++)
        CHECK(jit_compile(profile("triple"), i % 2 ? JIT_O2 : JIT_O0, false, "test"));
    CHECK(jit_compile(profile("triple"), JIT_O2, false, "test"));
    check_freed(bytes);
}

/* The functions that a debugger is told of, with their addresses. */
static std::multimap<std::string, uint64_t> debug_symbols() {
    std::multimap<std::string, uint64_t> found;
    CHECK(__jit_debug_descriptor.version == 1);
    const jit_code_entry *previous = nullptr;
    for (auto *entry = __jit_debug_descriptor.first; entry; entry = entry->next) {
        CHECK(entry->previous == previous);
        previous = entry;
        llvm::StringRef bytes(entry->file, entry->file_size);
        auto file = llvm::cantFail(llvm::object::ObjectFile::createELFObjectFile({bytes, "debug"}));
        CHECK(file->makeTriple().getArch() == llvm::Triple::x86_64);
        auto text = std::next(file->section_begin()); /* the first is none */
        CHECK(text->isText() && text->isVirtual());
        for (const llvm::object::SymbolRef &symbol : file->symbols()) {
            uint64_t address = llvm::cantFail(symbol.getAddress());
            uint64_t size = llvm::object::ELFSymbolRef(symbol).getSize();
            CHECK(address >= text->getAddress() && size > 0);
            CHECK(address + size <= text->getAddress() + text->getSize());
            found.insert({llvm::cantFail(symbol.getName()).str(), address});
        }
    }
    return found;
}

static void test_debug_symbols() {
    const jit_function *function = profile("triple"), *other = profile("seven_times");
    auto *entry = jit::program().find("triple");
    CHECK(debug_symbols().find("triple")->second == reinterpret_cast<uintptr_t>(entry->stub));
    for (jit_level level : {JIT_O3, JIT_O2}) {
        CHECK(jit_compile(profile("triple"), level, false, "test"));
        clear_dead_stack();
        CHECK(jit_compile(profile("seven_times"), JIT_O1, false, "test")); /* frees the former */
    }
    auto symbols = debug_symbols();
    CHECK(symbols.count("triple.O2.entry") == 1 && symbols.count("triple.O2.general") == 1);
    CHECK(symbols.find("triple.O2.entry")->second == reinterpret_cast<uintptr_t>(*entry->slot));
    CHECK(symbols.count("triple.O3.entry") == 0);
    jit_version *version =
        jit_make(profile("triple"), profile("seven_times"), JIT_O1, false, JIT_AS_WRITTEN);
    CHECK(version && debug_symbols().count("triple.O1.seven_times.entry") == 1);
    jit_release(version);
    CHECK(debug_symbols().count("triple.O1.seven_times.entry") == 0);
    CHECK(function->level == JIT_O2 && other->level == JIT_O1);
}

static void replace_caller() {
    in_hook = nullptr;
    CHECK(jit_compile(profile("calls_hook"), JIT_O3, false, "test"));
    clear_dead_stack();
    CHECK(jit_compile(profile("calls_hook"), JIT_O3, false, "test"));
    CHECK(jit_costs().retired == 1); /* the one that the hook returns to; not the one between */
}

static void test_running_code_stays() {
    auto *calls_hook = address<int64_t(int64_t)>("calls_hook");
    for (jit_level level : COMPILED) {
        CHECK(jit_compile(profile("calls_hook"), level, false, "test"));
        in_hook = replace_caller;
        int64_t before = calls_hook(0);
        CHECK(calls_hook(5) == before + 5);
    }
    CHECK(jit_compile(profile("calls_hook"), JIT_O3, false, "test"));
    clear_dead_stack();
    CHECK(jit_compile(profile("calls_hook"), JIT_O3, false, "test"));
    CHECK(jit_costs().retired == 0);
}

/* The kernel's list of this process's memory has nothing that is writable and executable. */
static void check_memory_map() {
    std::ifstream maps("/proc/self/maps");
    std::string range, access, line;
    int executable = 0;
    while (maps >> range >> access && std::getline(maps, line)) {
        executable += access[2] == 'x';
        CHECK(!(access[1] == 'w' && access[2] == 'x'));
    }
    CHECK(executable > 0);
}

int main() {
    load(ASSEMBLY, __builtin_frame_address(0));
    test_results_and_counts();
    test_specialisation();
    test_wide_argument();
    test_same_bits();
    test_alternative();
    test_object_cache();
    test_failures();
    test_freeing();
    test_debug_symbols();
    test_running_code_stays();
    check_memory_map();
    return 0;
}
