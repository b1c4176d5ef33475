// sources: kernel_lib/memory/heap.cpp kernel_lib/memory/free_lists.c
// sources: libc/src/__support/freelist.cpp libc/src/__support/freetrie.cpp
/* The heap over two regions, against a model that knows what every block must hold. */
#include "check.h"
#include "kernel_lib/memory/heap.h"
#include "kernel_lib/runtime.h"
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#define REGION_SIZE ((size_t)1 << 20)
#define SLOTS 300
#define STEPS 200000
#define MAX_SIZE 20000
#define MAX_LISTED (32768 - 8) /* with the block's header */

/* The gap keeps a block from running from one region into the next. */
static _Alignas(4096) unsigned char first[REGION_SIZE], gap[4096], second[REGION_SIZE];

static jmp_buf panicked;
static char panic_text[200];

void panic(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(panic_text, sizeof panic_text, format, arguments);
    va_end(arguments);
    longjmp(panicked, 1);
}

/* xorshift64*, Vigna 2016: the same steps in every run. */
static uint64_t random_number(void) {
    static uint64_t state = 88172645463325252u;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545F4914F6CDD1Du;
}

static struct slot {
    unsigned char *memory;
    size_t size;
    unsigned char fill;
} slots[SLOTS];

/* As memory is after a restart of the machine: wherever a block is made, the boot before may have
 * left the mark of a free one in it (free_lists.c). */
static void leave_marks(unsigned char *region) {
    for (size_t offset = 8; offset < REGION_SIZE; offset += 8) {
        uint64_t mark = (uintptr_t)(region + offset - 8) ^ 0x66726565206C6973u;
        memcpy(region + offset, &mark, sizeof mark);
    }
}

static int in_region(const unsigned char *memory, size_t size, const unsigned char *region) {
    return memory >= region && memory + size <= region + REGION_SIZE;
}

static void fill(struct slot *slot, void *memory, size_t size) {
    *slot = (struct slot){memory, size, (unsigned char)random_number()};
    if (!memory)
        return;
    CHECK(in_region(memory, size, first) || in_region(memory, size, second));
    memset(memory, slot->fill, size);
}

static void check_fill(const struct slot *slot, size_t size) {
    for (size_t i = 0; i < size; i++)
        CHECK(slot->memory[i] == slot->fill);
}

static void resize(struct slot *slot, size_t size) {
    unsigned char *moved = heap_reallocate(slot->memory, size);
    if (!moved) {
        check_fill(slot, slot->size);
        return;
    }
    size_t kept = slot->size < size ? slot->size : size;
    slot->memory = moved;
    check_fill(slot, kept);
    fill(slot, moved, size);
}

static void random_steps(void) {
    for (int step = 0; step < STEPS; step++) {
        struct slot *slot = &slots[random_number() % SLOTS];
        size_t size = random_number() % (random_number() % MAX_SIZE + 1);
        size_t alignment = (size_t)1 << random_number() % 13;
        if (!slot->memory) {
            fill(slot, heap_allocate(alignment, size), size);
            CHECK((uintptr_t)slot->memory % alignment == 0 || !slot->memory);
            CHECK((uintptr_t)slot->memory % HEAP_ALIGNMENT == 0);
        } else if (step % 4 == 0) {
            resize(slot, size);
        } else {
            check_fill(slot, slot->size);
            heap_free(slot->memory);
            slot->memory = NULL;
        }
    }
    for (int i = 0; i < SLOTS; i++) {
        if (slots[i].memory)
            check_fill(&slots[i], slots[i].size);
        heap_free(slots[i].memory);
    }
    CHECK(memory_usage().used == 0);
}

/* After all those steps everything has melted together again, and both regions are used. */
static void nothing_is_lost(void) {
    size_t almost_all = REGION_SIZE - 256;
    unsigned char *a = heap_allocate(HEAP_ALIGNMENT, almost_all);
    unsigned char *b = heap_allocate(HEAP_ALIGNMENT, almost_all);
    CHECK(a && in_region(a, almost_all, first));
    CHECK(b && in_region(b, almost_all, second));
    CHECK(!heap_allocate(HEAP_ALIGNMENT, almost_all));
    CHECK(memory_usage().used >= 2 * almost_all && memory_usage().peak >= 2 * almost_all);
    CHECK(memory_usage().total == 2 * REGION_SIZE);
    heap_free(a);
    heap_free(b);
}

static void refuses_what_cannot_be(void) {
    CHECK(!heap_allocate(HEAP_ALIGNMENT, SIZE_MAX));
    CHECK(!heap_allocate(HEAP_ALIGNMENT, SIZE_MAX - 20));
    CHECK(!heap_allocate((size_t)1 << 63, 1));
    CHECK(!heap_allocate(4096, SIZE_MAX - 4000));
    CHECK(!heap_allocate(0, 1));
    CHECK(!heap_allocate(24, 1));
    CHECK(!heap_reallocate(NULL, 3 * REGION_SIZE));
    heap_free(NULL);
    CHECK(memory_usage().used == 0);
}

static void zero_is_a_size(void) {
    void *a = heap_allocate(HEAP_ALIGNMENT, 0), *b = heap_allocate(HEAP_ALIGNMENT, 0);
    CHECK(a && b && a != b);
    heap_free(a);
    heap_free(b);
}

/* What was freed is used again for all sizes that fit, and never for one that does not. */
static void uses_freed_blocks_again(void) {
    for (size_t size = 0; size <= MAX_LISTED; size++) {
        unsigned char *a = heap_allocate(HEAP_ALIGNMENT, size);
        uint64_t used = memory_usage().used;
        CHECK(used >= size && used <= size + size / 4 + 48);
        memset(a, 0xA5, size);
        heap_free(a);
        CHECK(heap_allocate(HEAP_ALIGNMENT, size) == a);
        heap_free(a);
    }
    CHECK(memory_usage().used == 0);
}

/* Pages in three pieces: their bytes are all there, and what lies between them is never written. */
static void uses_scattered_pages(void) {
    enum { PAGE = 4096, GAP_FILL = 0xC3, PIECE = 1000, MOST = 100 };
    static _Alignas(PAGE) unsigned char pages[12][PAGE];
    static const struct {
        int first, end;
    } pieces[] = {{1, 4}, {5, 6}, {8, 11}};
    struct memory_range ranges[3];
    uint64_t total = memory_usage().total;
    memset(pages, GAP_FILL, sizeof pages);
    for (int i = 0; i < 3; i++)
        ranges[i] = (struct memory_range){(uintptr_t)pages[pieces[i].first],
                                          (uintptr_t)pages[pieces[i].end]};
    CHECK(mprotect(pages, sizeof pages, PROT_READ) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(mprotect(pages[pieces[i].first], ranges[i].end - ranges[i].start,
                       PROT_READ | PROT_WRITE) == 0);
    heap_add_scattered(ranges, 3);
    CHECK(memory_usage().total == total + (uint64_t)(3 + 1 + 3) * PAGE);

    void *others[] = {heap_allocate(HEAP_ALIGNMENT, REGION_SIZE - 256),
                      heap_allocate(HEAP_ALIGNMENT, REGION_SIZE - 256)};
    CHECK(!heap_allocate(PAGE, PAGE)); /* it could be made executable */
    for (int round = 0; round < 3; round++) {
        unsigned char *blocks[MOST];
        int count = 0, in_piece[3] = {0};
        while (count < MOST && (blocks[count] = heap_allocate(HEAP_ALIGNMENT, PIECE))) {
            int piece = 0;
            while (piece < 3 && !((uintptr_t)blocks[count] >= ranges[piece].start &&
                                  (uintptr_t)blocks[count] + PIECE <= ranges[piece].end))
                piece++;
            CHECK(piece < 3);
            in_piece[piece]++;
            memset(blocks[count++], round, PIECE);
        }
        CHECK(in_piece[0] >= 10 && in_piece[1] >= 3 && in_piece[2] >= 10);
        for (int i = 0; i < count; i += 2)
            heap_free(blocks[i]);
        for (int i = 1; i < count; i += 2)
            heap_free(blocks[i]);
    }
    void *whole = heap_allocate(HEAP_ALIGNMENT, 3 * PAGE - 64); /* neighbours have been merged */
    CHECK(whole);
    heap_free(whole);
    heap_free(others[0]);
    heap_free(others[1]);
    CHECK(memory_usage().used == 0);
    for (int page = 0; page < 12; page++)
        if (page == 0 || page == 4 || page == 6 || page == 7 || page == 11)
            for (int i = 0; i < PAGE; i++)
                CHECK(pages[page][i] == GAP_FILL);
}

static void finds_misuse(void) {
    void *volatile memory = heap_allocate(HEAP_ALIGNMENT, 100);
    heap_free(memory);
    if (setjmp(panicked) == 0) {
        heap_free(memory);
        CHECK(!"a double free went unnoticed");
    }
    CHECK(strstr(panic_text, "double free"));
    for (int i = 0; i < 16; i++)
        ((unsigned char *)memory)[i] = 1;
    if (setjmp(panicked) == 0) {
        for (int i = 0; i < SLOTS; i++)
            heap_allocate(HEAP_ALIGNMENT, 100);
        CHECK(!"writing to freed memory went unnoticed");
    }
    CHECK(strstr(panic_text, "after it had been freed"));
    void *volatile large = heap_allocate(HEAP_ALIGNMENT, 100000);
    heap_free(large);
    if (setjmp(panicked) == 0) {
        heap_free(large);
        CHECK(!"a double free of a large block went unnoticed");
    }
    CHECK(strstr(panic_text, "double free"));
    if (setjmp(panicked) == 0) {
        heap_free(gap);
        CHECK(!"a foreign pointer went unnoticed");
    }
    CHECK(strstr(panic_text, "not from malloc"));
}

int main(void) {
    heap_add_region(first, first + 64); /* too small: not taken */
    CHECK(memory_usage().total == 0 && !heap_allocate(HEAP_ALIGNMENT, 1));
    leave_marks(first);
    leave_marks(second);
    heap_add_region(first, first + REGION_SIZE);
    heap_add_region(second, second + REGION_SIZE);
    random_steps();
    nothing_is_lost();
    refuses_what_cannot_be();
    zero_is_a_size();
    uses_freed_blocks_again();
    uses_scattered_pages();
    finds_misuse();
    return 0;
}
