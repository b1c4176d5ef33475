#include "kernel_lib/cpu/real_mode.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/cpu/descriptors.h"
#include "kernel_lib/cpu/interrupts.h"
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/cpu/pic.h"
#include <string.h>

extern const char real_mode_code[], real_mode_code_end[]; /* real_mode.asm */

bool real_mode_start(struct error *error) {
    memcpy((void *)REAL_MODE_CODE, real_mode_code, (size_t)(real_mode_code_end - real_mode_code));
    return memory_protect(REAL_MODE_CODE, PAGE_SIZE, MEMORY_READ_EXECUTE, error);
}

void real_mode_int13(struct real_mode_registers *registers) {
    void (*call)(void) = (void (*)(void))REAL_MODE_CODE;
    struct real_mode_registers *shared = (struct real_mode_registers *)REAL_MODE_REGISTERS;
    uintptr_t flags = cpu_interrupts_save();
    pic_enter_bios();
    *shared = *registers;
    call();
    *registers = *shared;
    descriptors_load();
    pic_leave_bios();
    irq_poll(IRQ_KEYBOARD);
    irq_poll(IRQ_COM1);
    cpu_interrupts_restore(flags);
}
