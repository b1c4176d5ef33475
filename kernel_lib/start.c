/* From the kernel's entry point to the application. */
#include "boot/boot_info.h"
#include "kernel_lib/config/sources.h"
#include "kernel_lib/coverage/coverage.h"
#include "kernel_lib/cpu/clock.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/cpu/descriptors.h"
#include "kernel_lib/cpu/features.h"
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/cpu/pic.h"
#include "kernel_lib/io/keyboard.h"
#include "kernel_lib/io/serial.h"
#include "kernel_lib/io/terminal.h"
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/memory/ram.h"
#include "kernel_lib/program.h"
#include "kernel_lib/removed/removed.h"
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/disk.h"
#include "kernel_lib/storage/storage.h"
#include "kernel_lib/version.h"
#include <inttypes.h>

/* Only in programs that need them (needs.h). */
#pragma weak coverage_start
#pragma weak clock_start
#pragma weak keyboard_start
#pragma weak serial_receive_by_interrupt
#pragma weak disk_start
#pragma weak disk_choose_kernel
#pragma weak storage_disk_name

static struct boot_info boot;

/* The linker script's: behind the thread's variables. */
extern char __thread_block[];

/* Only in kernels that write trimmed copies of themselves. */
#pragma weak removed_pages_to_heap

/* Copies the block out of low memory; stops when it is not what this kernel was built for. */
static void take_boot_info(const struct boot_info *given) {
    if (given->magic != BOOT_INFO_MAGIC || given->version != BOOT_INFO_VERSION)
        panic("boot information has magic %#" PRIx64 " and version %u instead of %#" PRIx64
              " and %u: loader and kernel are from different builds",
              given->magic, given->version, (uint64_t)BOOT_INFO_MAGIC, BOOT_INFO_VERSION);
    if (given->region_count > BOOT_INFO_MAX_REGIONS)
        panic("boot information has %u memory regions, more than %u", given->region_count,
              BOOT_INFO_MAX_REGIONS);
    boot = *given;
}

/* Tells programs what was booted, on what, and how long it took: TSC cycles from stage1's first
 * instruction to the kernel, and from there to here. */
static void announce(void) {
    uint64_t now = cpu_rdtsc();
    const struct cpu_features *cpu = cpu_features();
    console_event("{\"event\":\"boot\",\"version\":\"" BAREFLOW_VERSION "\","
                  "\"build_id\":\"%s\",\"slot\":%u,\"loader_cycles\":%" PRIu64 ","
                  "\"kernel_cycles\":%" PRIu64 ",\"ram_bytes\":%" PRIu64 ",\"heap_bytes\":%" PRIu64
                  ",\"disk\":\"%s\","
                  "\"cpu\":\"%s\",\"features\":\"sse2%s%s%s\",\"tcg\":%s}",
                  platform_build_id(), boot.boot_slot, boot.kernel_tsc - boot.stage1_tsc,
                  now - boot.kernel_tsc, memory_map_total(ram_map()), memory_usage().total,
                  storage_disk_name ? storage_disk_name() : "no disk", cpu->brand,
                  cpu->avx2 ? " avx2" : "", cpu->avx512 ? " avx512" : "",
                  cpu->avx512_vnni ? " avx512_vnni" : "", cpu->tcg ? "true" : "false");
}

/* What runs before the breakpoints are placed, runs once more behind them, to be seen: here the
 * state of the CPU, in bring_up the descriptors. */
static void start_coverage(void) {
    descriptors_start();
    coverage_start();
    cpu_state_enable();
}

/* Not inlined into kernel_start: the compiler may use vector registers anywhere in here. */
__attribute__((noinline)) static void bring_up(const struct boot_info *given) {
    if (coverage_start && coverage_by_default)
        start_coverage();
    serial_init();       /* from here on panic() can be heard */
    descriptors_start(); /* GDT, IDT: exceptions are reported from here on */
    take_boot_info(given);
    terminal_start((boot.cursor >> 8) + 1u); /* screen, below what the BIOS wrote */
    if (clock_start)
        clock_start();  /* PIT: runs until someone wants the TSC's frequency */
    ram_start(&boot);   /* memory map */
    paging_start();     /* own page tables, W^X, guard pages */
    ram_give_to_heap(); /* malloc works */
    if (removed_pages_to_heap)
        removed_pages_to_heap(); /* of a trimmed copy */
    pic_start();                 /* IRQs off the exceptions' vectors */
    if (keyboard_start)
        keyboard_start(); /* PS/2, by interrupt */
    if (serial_receive_by_interrupt)
        serial_receive_by_interrupt();
    cpu_interrupts_on();
    platform_set_thread_pointer(__thread_block); /* thread-local variables */

    config_read_fw_cfg(); /* settings of QEMU's command line */
    if (disk_start)
        disk_start(&boot); /* the disk, its settings, and what is kept on it */
    announce();
}

/* Called by entry.asm in 64-bit mode on the kernel's stack, with interrupts off. */
_Noreturn void kernel_start(const struct boot_info *given);
__attribute__((target("general-regs-only"))) _Noreturn void
kernel_start(const struct boot_info *given) {
    cpu_state_enable(); /* SSE and wider: compiled code may use them from here on */
    bring_up(given);
    if (disk_choose_kernel)
        disk_choose_kernel(); /* which may not be this one */
    program_begin();
    program_exit(app_main());
}
