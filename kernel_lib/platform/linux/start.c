/* From the entry point of the Linux program to the application: stack, command line and heap. */
#include "kernel_lib/memory/heap.h"
#include "kernel_lib/platform/linux/linux.h"
#include "kernel_lib/platform/linux/syscall.h"
#include "kernel_lib/program.h"
#include "kernel_lib/runtime.h"

_Noreturn void linux_main(long *stack);

/* The kernel leaves argc, argv and the environment on the stack, aligned to 16 bytes (System V ABI
 * for x86-64, 3.4.1). */
__attribute__((naked)) _Noreturn void _start(void);
__attribute__((naked)) _Noreturn void _start(void) {
    __asm__("xorl %ebp, %ebp\n\t"
            "movq %rsp, %rdi\n\t"
            "call linux_main");
}

/* As much address space as the machine has RAM; pages become real when they are touched. */
static void make_heap(void) {
    enum {
        READ_WRITE = 1 | 2,
        PRIVATE_ANONYMOUS_NORESERVE = 0x02 | 0x20 | 0x4000,
        HUGE_PAGES = 14
    };
    struct { /* struct sysinfo, sysinfo(2) */
        long uptime;
        unsigned long loads[3], total_ram, free_ram, shared, buffers, total_swap, free_swap;
        unsigned short processes;
        unsigned long total_high, free_high;
        unsigned int unit;
        char padding[64];
    } info;
    if (system_call3(SYS_SYSINFO, (long)&info, 0, 0) < 0)
        panic("sysinfo failed");
    size_t size = (size_t)(info.total_ram * info.unit);
    long memory =
        system_call(SYS_MMAP, 0, (long)size, READ_WRITE, PRIVATE_ANONYMOUS_NORESERVE, -1, 0);
    if (memory < 0 && memory > -4096)
        panic("mmap of %zu bytes failed (error %ld)", size, -memory);
    /* As bare metal has them; a system without them refuses, and that is no harm. */
    system_call3(SYS_MADVISE, memory, (long)size, HUGE_PAGES);
    heap_add_region((void *)memory, (char *)memory + size);
}

/* The program's own headers in memory, and what they are (System V ABI, "ELF Header", "Program
 * Header"). */
extern const struct {
    unsigned char ident[32];
    uint64_t program_headers;
    unsigned char unused[16];
    uint16_t program_header_size, program_header_count;
} __ehdr_start;
struct program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical_address, file_size, size, alignment;
};

static const struct program_header *thread_header(void) {
    enum { PT_TLS = 7 };
    const char *next = (const char *)&__ehdr_start + __ehdr_start.program_headers;
    for (int i = 0; i < __ehdr_start.program_header_count; i++) {
        const struct program_header *header = (const void *)next;
        if (header->type == PT_TLS)
            return header;
        next += __ehdr_start.program_header_size;
    }
    return NULL;
}

static size_t round_up(size_t size, size_t to) {
    return (size + to - 1) / to * to;
}

/* The thread's variables, and behind them what FS points to ("ELF Handling For Thread-Local
 * Storage", 3.4.6): at its own address. A stack canary is 40 bytes behind. */
static void make_thread(void) {
    enum { BLOCK_SIZE = 64 };
    static const struct program_header none = {.alignment = 1};
    const struct program_header *variables = thread_header();
    if (!variables || variables->alignment == 0)
        variables = &none;
    size_t distance =
        round_up(variables->address + variables->size, variables->alignment) - variables->address;
    size_t alignment = variables->alignment > BLOCK_SIZE ? variables->alignment : BLOCK_SIZE;
    size_t room = round_up(distance, alignment);
    char *memory = aligned_alloc(alignment, room + alignment);
    if (!memory)
        panic("no memory for %zu bytes of thread-local variables", room);
    char **block = (char **)(memory + room);
    memset(memory, 0, room + BLOCK_SIZE);
    memcpy((char *)block - distance, (const void *)variables->address, variables->file_size);
    *block = (char *)block;
    platform_set_thread_pointer(block);
}

/* Called by _start, from assembly. */
__attribute__((used)) _Noreturn void linux_main(long *stack) {
    make_heap();
    make_thread();
    linux_arguments((int)stack[0], (char **)(stack + 1));
    program_begin();
    program_exit(app_main());
}
