/*
 * Provokes one fault, named by the configuration key `fault`. The test expects
 * its report on serial line and screen, and exit code 1. A fault that does not
 * happen ends the guest with code 2.
 */
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/cpu/vectors.h"
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/runtime.h"

#define VIDEO_MEMORY 0xB8000
/* Far above any RAM, on x86-64 canonical. */
#define NOWHERE (sizeof(uintptr_t) == 8 ? (uintptr_t)0x123456789000ull : 0xD0000000u)
#define GATE_SIZE (2 * sizeof(uintptr_t)) /* of the IDT */
#define RETURN_INSTRUCTION 0xC3

/* Hides a value from the optimiser, so that the faulting access is really made. */
#define OPAQUE(value)                                                                              \
    ({                                                                                             \
        __typeof__(value) opaque = (value);                                                        \
        __asm__ volatile("" : "+r"(opaque));                                                       \
        opaque;                                                                                    \
    })

/* For functions that other faults call: they must stay functions, to be named in the report. */
#define NAMED __attribute__((noinline))

static void divide_error(void) {
    /* In assembly: of 1 / x the compiler may make anything that agrees for x other than 0. */
    __asm__ volatile("idivl %0" : : "r"(0), "a"(1), "d"(0));
}

NAMED static void invalid_opcode(void) {
    __asm__ volatile("ud2");
}

/* What the compiler takes to be never reached has no code: no return either. */
NAMED static void no_end(void) {
    __builtin_unreachable();
}

static void breakpoint(void) {
    __asm__ volatile("int3");
}

/* An XCR0 without x87. */
static void general_protection(void) {
    __asm__ volatile("xsetbv" : : "a"(0), "d"(0), "c"(0));
}

/* On x86-64, an address that is not canonical. */
static void not_canonical(void) {
    console_printf("%d\n", *(volatile int *)OPAQUE((uintptr_t)1 << (8 * sizeof(uintptr_t) - 1)));
}

/* The IDT has 48 entries: #GP, and the error code names entry 80. */
static void missing_vector(void) {
    __asm__ volatile("int $80");
}

NAMED static void null_read(void) {
    console_printf("%d\n", *(volatile int *)OPAQUE((uintptr_t)16));
}

static void null_call(void) {
    ((void (*)(void))OPAQUE((uintptr_t)0))();
}

static void wild_write(void) {
    *(volatile int *)OPAQUE(NOWHERE) = 1;
}

static void write_rodata(void) {
    *(volatile char *)OPAQUE((uintptr_t)__rodata_start) = 1;
}

static void write_text(void) {
    *(volatile char *)OPAQUE((uintptr_t)__text_start) = 1;
}

static void execute_data(void) {
    static char code[] = {(char)RETURN_INSTRUCTION};
    ((void (*)(void))OPAQUE((uintptr_t)code))();
}

static void execute_heap(void) {
    char *code = malloc(16);
    code[0] = (char)RETURN_INSTRUCTION;
    ((void (*)(void))OPAQUE((uintptr_t)code))();
}

/* No tail call: the result is used after the call, so every level needs its frame. */
NAMED static int recurse(int depth) {
    volatile char frame[256];
    frame[0] = (char)depth;
    return depth == OPAQUE(-1) ? 0 : recurse(depth + 1) + frame[0];
}

static void stack_overflow(void) {
    console_printf("%d\n", recurse(0));
}

/* With an IDT that ends behind the double fault's entry, a page fault (14) finds no gate. That is a
 * #GP. A #GP while a page fault is delivered is a double fault (Intel SDM vol. 3, table 6-5). */
static void double_fault(void) {
    struct __attribute__((packed)) {
        uint16_t limit;
        uintptr_t base;
    } idt;
    __asm__ volatile("sidt %0" : "=m"(idt));
    idt.limit = (VECTOR_DOUBLE_FAULT + 1) * GATE_SIZE - 1;
    __asm__ volatile("lidt %0" : : "m"(idt));
    null_read();
}

/* The report itself faults, because it writes to the screen. */
static void nested(void) {
    struct error error;
    if (!memory_protect(VIDEO_MEMORY, PAGE_SIZE, MEMORY_NONE, &error))
        panic("%s", error.text);
    invalid_opcode();
}

static void own_panic(void) {
    panic("the test asked for %s", "a panic");
}

/* RBP (EBP) does not point into a stack: the report must come, without a backtrace. */
static void broken_frame_chain(void) {
#ifdef __x86_64__
    __asm__ volatile("movq $0x1234, %%rbp\n\tud2" : : : "memory");
#else
    __asm__ volatile("movl $0x1234, %%ebp\n\tud2" : : : "memory");
#endif
}

static const struct {
    const char *name;
    void (*provoke)(void);
} faults[] = {
    {"divide_error", divide_error},
    {"invalid_opcode", invalid_opcode},
    {"no_end", no_end},
    {"breakpoint", breakpoint},
    {"general_protection", general_protection},
    {"not_canonical", not_canonical},
    {"missing_vector", missing_vector},
    {"null_read", null_read},
    {"null_call", null_call},
    {"wild_write", wild_write},
    {"write_rodata", write_rodata},
    {"write_text", write_text},
    {"execute_data", execute_data},
    {"execute_heap", execute_heap},
    {"stack_overflow", stack_overflow},
    {"double_fault", double_fault},
    {"nested", nested},
    {"panic", own_panic},
    {"broken_frame_chain", broken_frame_chain},
};

int app_main(void) {
    const char *wanted = config_get("fault");
    for (size_t i = 0; wanted && i < sizeof faults / sizeof faults[0]; i++)
        if (strcmp(faults[i].name, wanted) == 0) {
            faults[i].provoke();
            console_puts("the fault did not happen\n");
            return 2;
        }
    console_printf("error: no fault is called \"%s\"\n", wanted ? wanted : "");
    return 3;
}
