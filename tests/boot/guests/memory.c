/*
 * Tries malloc and its kin at their edges, then allocates all memory there is, in ever smaller
 * blocks, marks every MARK_STEP bytes of it, and checks the marks when nothing is left. The test
 * expects "allocated N bytes" with N near the machine's RAM, "highest address A" above 4 GiB where
 * the machine has RAM there, and exit code 0.
 */
#include "kernel_lib/runtime.h"
#include <inttypes.h>

#define LARGEST ((size_t)1 << 30)
#define SMALLEST ((size_t)4096)
#define MAX_BLOCKS 512
/* Few enough that QEMU needs little of the host's memory, since it allocates what is touched. */
#define MARK_STEP ((size_t)16 << 20)

static struct {
    uint64_t *words;
    size_t size;
} blocks[MAX_BLOCKS];
static size_t count;

/* The mark of a place is made of its own address: two blocks that overlap, or memory that appears
 * twice, would show. */
static uint64_t mark(const volatile uint64_t *place) {
    return (uintptr_t)place * 0x9E3779B97F4A7C15ull;
}

static int fail(const char *what) {
    console_printf("error: %s\n", what);
    return 1;
}

static uint64_t allocate_all(void) {
    uint64_t total = 0;
    for (size_t size = LARGEST; size >= SMALLEST; size /= 2)
        while (count < MAX_BLOCKS) {
            uint64_t *words = malloc(size);
            if (!words)
                break;
            blocks[count].words = words;
            blocks[count++].size = size;
            total += size;
        }
    return total;
}

/* Whether this is NULL. Through a volatile variable, because the compiler may leave out an
 * allocation that nobody uses and take it for successful. */
static bool refused(void *memory) {
    void *volatile kept = memory;
    return kept == NULL;
}

/* What the C standard says of the odd cases, and what kernel_lib/memory/heap.h adds. */
static const char *edge_cases(void) {
    char *empty = malloc(0);
    if (refused(empty))
        return "malloc(0) gives NULL";
    free(empty);
    free(NULL);
    if (!refused(malloc(SIZE_MAX)) || !refused(malloc(SIZE_MAX - 64)) ||
        !refused(calloc(SIZE_MAX / 2, 4)))
        return "a size that cannot be is not refused";
    volatile size_t odd = 48, none = 0; /* constants would not compile */
    if (!refused(aligned_alloc(odd, 48)) || !refused(aligned_alloc(none, 16)))
        return "an alignment that is no power of two is not refused";
    char *zeroed = calloc(100, 10);
    for (size_t i = 0; i < 1000; i++)
        if (zeroed[i] != 0)
            return "calloc does not clear";
    memset(zeroed, 'x', 1000);
    char *larger = realloc(zeroed, 100000);
    for (size_t i = 0; i < 1000; i++)
        if (larger[i] != 'x')
            return "realloc loses bytes";
    if (!refused(realloc(larger, SIZE_MAX / 2)))
        return "realloc to a size that cannot be is not refused";
    if (larger[999] != 'x')
        return "realloc that fails touches the memory";
    free(larger);
    for (size_t alignment = 16; alignment <= 1 << 16; alignment *= 2) {
        char *aligned = aligned_alloc(alignment, alignment);
        if (refused(aligned) || (uintptr_t)aligned % alignment != 0)
            return "aligned_alloc does not align";
        free(aligned);
    }
    return NULL;
}

int app_main(void) {
    struct memory_usage before = memory_usage();
    const char *failed = edge_cases();
    if (failed)
        return fail(failed);
    uint64_t total = allocate_all();
    uintptr_t highest = 0;
    for (size_t i = 0; i < count; i++) {
        uintptr_t end = (uintptr_t)blocks[i].words + blocks[i].size;
        highest = end > highest ? end : highest;
        for (size_t at = 0; at < blocks[i].size / 8; at += MARK_STEP / 8)
            blocks[i].words[at] = mark(&blocks[i].words[at]);
        blocks[i].words[blocks[i].size / 8 - 1] = mark(&blocks[i].words[blocks[i].size / 8 - 1]);
    }
    for (size_t i = 0; i < count; i++) {
        const volatile uint64_t *words = blocks[i].words;
        for (size_t at = 0; at < blocks[i].size / 8; at += MARK_STEP / 8)
            if (words[at] != mark(&words[at]))
                return fail("a mark inside a block has changed");
        if (words[blocks[i].size / 8 - 1] != mark(&words[blocks[i].size / 8 - 1]))
            return fail("a mark at the end of a block has changed");
    }
    console_printf("allocated %" PRIu64 " bytes in %zu blocks\n", total, count);
    console_printf("highest address %#" PRIxPTR "\n", highest);
    if (memory_usage().used < total || memory_usage().peak < total)
        return fail("memory_usage() counts less than what was allocated");
    for (size_t i = 0; i < count; i++)
        free(blocks[i].words);
    if (memory_usage().used != before.used)
        return fail("memory is still in use after everything was freed");
    console_printf("total %" PRIu64 " bytes\n", memory_usage().total);
    return 0;
}
