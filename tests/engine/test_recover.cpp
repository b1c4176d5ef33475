// sources: tests/engine/engine_fixture.cpp
/* LLVM is left in the middle of its work, at many places. What comes later still works. */
#include "kernel_lib/jit/engine/recover.h"
#include "kernel_lib/removed/removed.h"
#include "tests/engine/engine_fixture.h"
#include <new>

static const char ASSEMBLY[] = R"(
@table = internal constant [4 x i32] [i32 3, i32 5, i32 7, i32 11]

define i32 @weigh(i32 %x, i32 %i) {
    %place = getelementptr [4 x i32], ptr @table, i32 0, i32 %i
    %weight = load i32, ptr %place
    %product = mul i32 %x, %weight
    ret i32 %product
}

define i32 @total(ptr %values, i32 %count) {
entry:
    %none = icmp eq i32 %count, 0
    br i1 %none, label %end, label %loop
loop:
    %i = phi i32 [ 0, %entry ], [ %next, %loop ]
    %sum = phi i32 [ 0, %entry ], [ %new, %loop ]
    %place = getelementptr i32, ptr %values, i32 %i
    %value = load i32, ptr %place
    %index = and i32 %i, 3
    %weighed = call i32 @weigh(i32 %value, i32 %index)
    %new = add i32 %sum, %weighed
    %next = add i32 %i, 1
    %more = icmp ult i32 %next, %count
    br i1 %more, label %loop, label %end
end:
    %result = phi i32 [ 0, %entry ], [ %new, %loop ]
    ret i32 %result
}
)";

extern "C" {
const jit_host_symbol jit_host_symbols[] = {{"memcpy", reinterpret_cast<void *>(memcpy)}};
const size_t jit_host_symbol_count = sizeof jit_host_symbols / sizeof *jit_host_symbols;
}

constexpr jit_level COMPILED[] = {JIT_O0, JIT_O1, JIT_O2, JIT_O3};
constexpr int PLACES = 30; /* of each compilation */

/* Allocations stand for places in LLVM. */
static uint64_t allocations, miss_at;
static void (*way_out)(const struct removed_call *call);

extern "C" void removed_set_way_out(void (*function)(const struct removed_call *call)) {
    way_out = function;
}

static void *allocate(size_t size, size_t alignment) {
    if (way_out && ++allocations == miss_at) {
        static const removed_call call = {"some_function", "its_caller", true, {}};
        way_out(&call);
    }
    void *memory;
    CHECK(posix_memalign(&memory, std::max<size_t>(alignment, 16), size) == 0);
    return memory;
}

void *operator new(size_t size) {
    return allocate(size, 16);
}
void *operator new(size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<size_t>(alignment));
}
void operator delete(void *memory) noexcept {
    free(memory);
}
void operator delete(void *memory, size_t) noexcept {
    free(memory);
}
void operator delete(void *memory, std::align_val_t) noexcept {
    free(memory);
}
void operator delete(void *memory, size_t, std::align_val_t) noexcept {
    free(memory);
}

/* 3 * 1 + 5 * 2 + 7 * 3 + 11 * 4 + 3 * 5 */
static void check_result() {
    int32_t values[] = {1, 2, 3, 4, 5};
    CHECK(address<int32_t(int32_t *, int32_t)>("total")(values, 5) == 93);
}

static uint64_t allocations_of(jit_function *function, jit_level level) {
    allocations = miss_at = 0;
    CHECK(jit_compile(function, level, level >= JIT_O2, "test"));
    return allocations;
}

static void check_miss(jit_function *function, jit_level level, uint64_t place) {
    jit::Entry &entry = jit::entry_of(*function);
    void *code = *entry.slot;
    uint64_t failed = jit_costs().failed;
    llvm::Function *bitcode = entry.function;
    messages.clear();
    allocations = 0;
    miss_at = place;
    CHECK(!jit_compile(function, level, level >= JIT_O2, "test"));
    miss_at = 0;
    CHECK(*entry.slot == code && function->highest == level - 1);
    CHECK(jit_costs().failed == failed + 1 && messages.size() == 1);
    CHECK(messages[0].find("it takes some_function, which was removed") != std::string::npos);
    function->highest = JIT_O3;
    check_result();
    CHECK(jit_compile(function, level, level >= JIT_O2, "test")); /* the same, with all there */
    CHECK(entry.function != bitcode && entry.function->getName() == function->name);
    check_result();
}

/* After three in a row the level is tried no more, others are. */
static void check_given_up(jit_function *function, jit_level level) {
    for (int i = 0; i < 3; i++) {
        messages.clear();
        allocations = 0;
        miss_at = PLACES;
        CHECK(!jit_compile(function, level, false, "test"));
    }
    CHECK(messages.size() == 2);
    CHECK(messages[0] ==
          "JIT: nothing is compiled at O2 any more: it takes functions that were removed");
    uint64_t failed = jit_costs().failed;
    messages.clear();
    miss_at = 0;
    CHECK(!jit_compile(function, level, false, "test"));
    CHECK(messages.empty() && jit_costs().failed == failed + 1 && function->highest == level - 1);
    CHECK(jit_compile(function, JIT_O1, false, "test"));
    check_result();
}

int main() {
    load(ASSEMBLY, __builtin_frame_address(0));
    check_result();
    jit_function *function = profile("total");
    function->values.count = 1;
    function->values.frequent[0] = {{5}, 1};
    for (jit_level level : COMPILED) {
        allocations_of(function, level); /* the first time, some are for good */
        uint64_t places = allocations_of(function, level) * 9 / 10; /* not always just as many */
        CHECK(places > PLACES);
        for (uint64_t i = 1; i <= PLACES; i++)
            check_miss(function, level, places * i / PLACES);
    }
    check_given_up(function, JIT_O2);
    return 0;
}
