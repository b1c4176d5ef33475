/* Power-off, restart and stop. */
#include "kernel_lib/platform/bare/power.h"
#include "kernel_lib/coverage/coverage.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/io/ports.h"
#include "kernel_lib/io/serial.h"
#include "kernel_lib/platform/bare/acpi.h"
#include "kernel_lib/platform/on_exit.h"
#include "kernel_lib/runtime.h"
#include <inttypes.h>

#pragma weak coverage_save /* only in programs with files */

#define DEBUG_EXIT 0xF4 /* QEMU: -device isa-debug-exit,iobase=0xf4,iosize=0x04 */
#define RESET_CONTROL 0xCF9
#define RESET_HARD 0x06 /* CPU and chipset (Intel ICH data sheets, RST_CNT) */
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_PULSE_RESET 0xFE

_Noreturn void machine_stop(int code) {
    serial_flush();
    outb(DEBUG_EXIT, (uint8_t)code);
    cpu_halt();
}

static void save(void) {
    platform_call_on_exit();
    if (coverage_save)
        coverage_save();
}

_Noreturn void platform_exit(int code) {
    uint64_t cycles = cpu_rdtsc(); /* since power-on */
    save();
    console_event("{\"event\":\"exit\",\"code\":%d,\"cycles\":%" PRIu64 ",\"heap_peak\":%" PRIu64
                  "}",
                  code, cycles, memory_usage().peak);
    cpu_interrupts_off();
    serial_flush();
    outb(DEBUG_EXIT, (uint8_t)code);
    acpi_power_off();
    console_puts("This machine has no ACPI power-off: it can be switched off now.\n");
    cpu_halt();
}

_Noreturn void platform_reboot(void) {
    save();
    machine_restart();
}

_Noreturn void machine_restart(void) {
    console_event("{\"event\":\"restart\"}");
    cpu_interrupts_off();
    serial_flush();
    outb(RESET_CONTROL, RESET_HARD);
    outb(KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
    /* Neither worked: an exception without an IDT is a triple fault, which resets every CPU. */
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) no_idt;
    __asm__ volatile("lidt %0\n\tud2" : : "m"(no_idt));
    cpu_halt();
}
