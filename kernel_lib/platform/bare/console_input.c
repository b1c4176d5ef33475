/* What the console reads on the bare machine: from serial line and keyboard. */
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/cpu/interrupts.h"
#include "kernel_lib/cpu/pic.h"
#include "kernel_lib/io/typed.h"
#include "kernel_lib/runtime.h"

static int serial_character(void) {
    static struct typed typed;
    int byte, character = -1;
    while (character < 0 && (byte = serial_read()) >= 0)
        character = typed_byte(&typed, byte);
    return character;
}

static int waiting = -1; /* the byte that console_wait() has read */

int console_read(void) {
    int character = waiting < 0 ? keyboard_read() : waiting;
    waiting = -1;
    return character < 0 ? serial_character() : character;
}

static void tick(void) {}

bool console_wait(unsigned milliseconds) {
    uint64_t begin = cpu_rdtsc(), most = cpu_cycles_per_second() / 1000 * milliseconds;
    irq_install(IRQ_TIMER, tick); /* ends the HLT: the BIOS has left its timer running */
    for (;;) {
        cpu_interrupts_off(); /* as in console_getchar */
        waiting = console_read();
        if (waiting >= 0 || cpu_rdtsc() - begin >= most)
            break;
        cpu_wait_for_interrupt();
    }
    cpu_interrupts_on();
    pic_mask(IRQ_TIMER);
    return waiting >= 0;
}

int console_getchar(void) {
    for (;;) {
        cpu_interrupts_off(); /* a byte that comes between the look and HLT would be missed */
        int character = console_read();
        if (character >= 0) {
            cpu_interrupts_on();
            return character;
        }
        cpu_wait_for_interrupt();
    }
}
