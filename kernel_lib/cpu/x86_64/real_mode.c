#include "kernel_lib/cpu/real_mode.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/cpu/descriptors.h"
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/cpu/pic.h"
#include <string.h>

#define MSR_GS_BASE 0xC0000101u

#define FLAGS_INTERRUPTS (1u << 9)

extern const char real_mode_trip[], real_mode_trip_end[]; /* real_mode.asm */

bool real_mode_start(struct error *error) {
    memcpy((void *)REAL_MODE_CODE, real_mode_trip, (size_t)(real_mode_trip_end - real_mode_trip));
    return memory_protect(REAL_MODE_CODE, PAGE_SIZE, MEMORY_READ_EXECUTE, error);
}

static uint64_t read_flags(void) {
    uint64_t flags;
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
    return flags;
}

void real_mode_int13(struct real_mode_registers *registers) {
    void (*trip)(void) = (void (*)(void))REAL_MODE_CODE;
    struct real_mode_registers *shared = (struct real_mode_registers *)REAL_MODE_REGISTERS;
    /* Real mode loads FS and GS, which changes their bases. */
    uint64_t fs_base = cpu_read_msr(MSR_FS_BASE), gs_base = cpu_read_msr(MSR_GS_BASE);
    bool interrupts_were_on = read_flags() & FLAGS_INTERRUPTS;
    cpu_interrupts_off();
    pic_enter_bios();
    *shared = *registers;
    trip();
    *registers = *shared;
    descriptors_load();
    cpu_write_msr(MSR_FS_BASE, fs_base);
    cpu_write_msr(MSR_GS_BASE, gs_base);
    pic_leave_bios();
    if (interrupts_were_on)
        cpu_interrupts_on();
}
