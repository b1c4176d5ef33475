/*
 * The heap: one LLVM-libc FreeListHeap for each region of RAM (best fit, free
 * blocks in a trie by size, neighbours merged at once). LLVM-libc's malloc
 * knows only one region between two linker symbols, so malloc and its kin are
 * ours (malloc.c) and the machinery is LLVM-libc's. Blocks that are not large
 * are kept in lists by their size (free_lists.c) until memory is scarce.
 */
#include "kernel_lib/memory/heap.h"
#include "kernel_lib/memory/free_lists.h"
extern "C" {
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/runtime.h"
}

/* LLVM-libc's own checks find double frees and overrun block headers. Here they end in a panic,
 * whose backtrace shows the caller, rather than in output to a stderr that does not exist. */
#undef LIBC_ASSERT
#define LIBC_ASSERT(condition)                                                                     \
    ((condition) ? static_cast<void>(0)                                                            \
                 : panic("heap: double free, or a block was written beyond its end"))
#define LIBC_COPT_USE_C_ASSERT
#include "src/__support/freelist_heap.h"

using LIBC_NAMESPACE::Block;
using LIBC_NAMESPACE::FreeListHeap;

namespace {

/* What a region must hold: the first block with a free list's node, and the end marker. */
constexpr size_t MIN_REGION_SIZE = 256;

constexpr size_t MAX_REGION_SIZE = SIZE_MAX / 2 + 1;

/* Bytes that are divided into small blocks at once: each search for one takes long. */
constexpr size_t BATCH_BYTES = 2048;

/* Storage without FreeListHeap's default constructor, which wants those linker symbols. */
alignas(FreeListHeap) unsigned char storage[HEAP_MAX_REGIONS][sizeof(FreeListHeap)];
size_t heap_count;
size_t scattered = HEAP_MAX_REGIONS; /* the index of heap_add_scattered()'s region */
struct memory_usage usage;

FreeListHeap &heap(size_t index) {
    return *reinterpret_cast<FreeListHeap *>(storage[index]);
}

size_t usable_size(void *memory) {
    return Block::from_usable_space(memory)->inner_size();
}

uint64_t size_with_header(void *memory) {
    return Block::from_usable_space(memory)->outer_size();
}

FreeListHeap &heap_of(void *memory) {
    for (size_t i = 0; i < heap_count; i++) {
        auto region = heap(i).region();
        if (memory >= region.begin() && memory < region.end())
            return heap(i);
    }
    panic("heap: %p is not from malloc", memory);
}

/* Allocates a block from the first region that has room. */
void *cut_off(size_t alignment, size_t size) {
    for (size_t i = 0; i < heap_count; i++) {
        if (i == scattered && alignment >= PAGE_SIZE)
            continue;
        void *memory = alignment <= HEAP_ALIGNMENT ? heap(i).allocate(size)
                                                   : heap(i).aligned_allocate(alignment, size);
        if (memory) {
            free_lists_welcome(memory, usable_size(memory));
            return memory;
        }
    }
    return nullptr;
}

/* Inserts a block into the lists that was in none of them before. */
void put_new(Block *block) {
    free_lists_welcome(block->usable_space(), block->inner_size());
    free_lists_put(block->usable_space(), block->inner_size());
}

/* Divides a block into blocks of this many usable bytes, and inserts them into the lists. */
void cut_up(void *memory, size_t size) {
    Block *block = Block::from_usable_space(memory);
    block->mark_free(); /* only a free one can be split */
    while (block->inner_size() >= 2 * (size + FREE_LISTS_HEADER)) {
        auto cut = Block::allocate(block, Block::MIN_ALIGN, size);
        cut.block->mark_used();
        put_new(cut.block);
        block = cut.next;
    }
    block->mark_used();
    put_new(block);
}

/* Ends a free block at an address, and returns the rest: a free block whose header is there, or, if
 * its contents are to begin there, in front of it. */
Block *split_at(Block *block, uintptr_t header) {
    return *block->split(Block::inner_size(header - reinterpret_cast<uintptr_t>(block)));
}

void return_lists() {
    while (void *memory = free_lists_drop())
        heap_of(memory).free(memory);
}

void *allocate_listed(size_t size) {
    size_t usable = free_lists_round(size);
    if (void *memory = free_lists_take(usable))
        return memory;
    if (usable * 4 > BATCH_BYTES)
        return cut_off(HEAP_ALIGNMENT, usable);
    if (void *batch = cut_off(HEAP_ALIGNMENT, BATCH_BYTES))
        cut_up(batch, usable);
    return free_lists_take(usable);
}

} // namespace

void heap_add_region(void *start, void *end) {
    auto *first = static_cast<LIBC_NAMESPACE::cpp::byte *>(start);
    auto *last = static_cast<LIBC_NAMESPACE::cpp::byte *>(end);
    /* FreeStore rounds a region's size up to a power of two, which 32 bits must hold. */
    for (; static_cast<size_t>(last - first) > MAX_REGION_SIZE; first += MAX_REGION_SIZE)
        heap_add_region(first, first + MAX_REGION_SIZE);
    if (heap_count == HEAP_MAX_REGIONS || last < first + MIN_REGION_SIZE)
        return;
    new (storage[heap_count++]) FreeListHeap({first, last});
    usage.total += static_cast<uint64_t>(last - first);
}

/* One block of everything is cut into one for each range, and one for each gap. A block's header is
 * in front of its contents, at the end of a range if these are a gap. */
void heap_add_scattered(const struct memory_range *ranges, size_t count) {
    if (count == 0 || heap_count == HEAP_MAX_REGIONS)
        return;
    scattered = heap_count;
    heap_add_region(reinterpret_cast<void *>(static_cast<uintptr_t>(ranges[0].start)),
                    reinterpret_cast<void *>(static_cast<uintptr_t>(ranges[count - 1].end)));
    FreeListHeap &region = heap(scattered);
    void *all = region.allocate(region.region().size() - MIN_REGION_SIZE);
    Block *block = Block::from_usable_space(all);
    for (size_t i = 0; i + 1 < count; i++) {
        block->mark_free();
        Block *gap = split_at(block, ranges[i].end - sizeof(Block));
        Block *next = split_at(gap, Block::next_possible_block_start(ranges[i + 1].start));
        gap->mark_used();
        next->mark_used();
        block->mark_used();
        region.free(block->usable_space());
        block = next;
        usage.total -= ranges[i + 1].start - ranges[i].end;
    }
    region.free(block->usable_space());
}

void *heap_allocate(size_t alignment, size_t size) {
    if (alignment == 0 || (alignment & (alignment - 1)) != 0)
        return nullptr;
    /* FreeListHeap wants a size that is not 0 and, with an alignment, a multiple of it. */
    size_t rounded = (size + (size == 0) + alignment - 1) & ~(alignment - 1);
    if (rounded < size || rounded > PTRDIFF_MAX)
        return nullptr;
    bool listed = alignment <= HEAP_ALIGNMENT;
    void *memory = listed ? allocate_listed(size) : cut_off(alignment, rounded);
    if (!memory) {
        return_lists();
        memory = cut_off(alignment, rounded);
    }
    if (!memory)
        return nullptr;
    usage.used += size_with_header(memory);
    if (usage.used > usage.peak)
        usage.peak = usage.used;
    return memory;
}

void heap_free(void *memory) {
    if (!memory)
        return;
    FreeListHeap &owner = heap_of(memory);
    usage.used -= size_with_header(memory);
    if (!free_lists_put(memory, usable_size(memory)))
        owner.free(memory);
}

void *heap_reallocate(void *memory, size_t size) {
    if (!memory)
        return heap_allocate(HEAP_ALIGNMENT, size);
    size_t old_size = usable_size(memory);
    if (size <= old_size)
        return memory;
    void *larger = heap_allocate(HEAP_ALIGNMENT, size);
    if (larger) {
        memcpy(larger, memory, old_size);
        heap_free(memory);
    }
    return larger;
}

struct memory_usage memory_usage() {
    return usage;
}
