/* Control registers, model-specific registers and interrupt flag (Intel SDM vol. 3, 2.5 and vol.
 * 4). */
#pragma once
#include <stdint.h>

#define CR0_PROTECTION_ENABLE (1ull << 0)
#define CR0_MONITOR_COPROCESSOR (1ull << 1)
#define CR0_EMULATION (1ull << 2)
#define CR0_TASK_SWITCHED (1ull << 3)
#define CR0_EXTENSION_TYPE (1ull << 4) /* always 1 */
#define CR0_NUMERIC_ERROR (1ull << 5)
#define CR0_WRITE_PROTECT (1ull << 16)
#define CR0_CACHES_OFF (3ull << 29) /* NW and CD */
#define CR0_PAGING (1ull << 31)

#define CR4_PAE (1ull << 5)
#define CR4_OSFXSR (1ull << 9)
#define CR4_OSXMMEXCPT (1ull << 10)
#define CR4_OSXSAVE (1ull << 18)

#define FLAGS_INTERRUPT (1u << 9)

#define MSR_EFER 0xC0000080u
#define EFER_LONG_MODE_ENABLE (1ull << 8)
#define EFER_LONG_MODE_ACTIVE (1ull << 10)
#define EFER_NO_EXECUTE_ENABLE (1ull << 11)
#define MSR_FS_BASE 0xC0000100u

static inline uintptr_t cpu_read_cr0(void) {
    uintptr_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static inline void cpu_write_cr0(uintptr_t value) {
    __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

/* The address that the last page fault was about. */
static inline uintptr_t cpu_read_cr2(void) {
    uintptr_t value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline uintptr_t cpu_read_cr3(void) {
    uintptr_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

/* Takes the physical address of the top page table; flushes the TLB. */
static inline void cpu_write_cr3(uintptr_t value) {
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline uintptr_t cpu_read_cr4(void) {
    uintptr_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void cpu_write_cr4(uintptr_t value) {
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static inline uint64_t cpu_read_msr(uint32_t msr) {
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return low | (uint64_t)high << 32;
}

static inline void cpu_write_msr(uint32_t msr, uint64_t value) {
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline void cpu_interrupts_on(void) {
    __asm__ volatile("sti" ::: "memory");
}

static inline void cpu_interrupts_off(void) {
    __asm__ volatile("cli" ::: "memory");
}

/* Interrupts off; returns the flags as they were, for cpu_interrupts_restore. */
static inline uintptr_t cpu_interrupts_save(void) {
    uintptr_t flags;
    __asm__ volatile("pushf\n\tpop %0\n\tcli" : "=r"(flags) : : "memory");
    return flags;
}

/* Interrupts on again if they were on when flags was saved. */
static inline void cpu_interrupts_restore(uintptr_t flags) {
    if (flags & FLAGS_INTERRUPT)
        cpu_interrupts_on();
}

/* Call with interrupts off: opens them and sleeps until one has been handled. STI takes effect
 * after the next instruction, so an interrupt cannot slip in between and leave us asleep. */
static inline void cpu_wait_for_interrupt(void) {
    __asm__ volatile("sti\n\thlt" ::: "memory");
}

/* Stops this CPU for good. */
_Noreturn static inline void cpu_halt(void) {
    for (;;)
        __asm__ volatile("cli\n\thlt" ::: "memory");
}
