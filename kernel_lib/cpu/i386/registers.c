/* The registers of an exception's report. */
#include "frames.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/runtime.h"

void exception_print_registers(const struct exception_frame *f) {
    console_printf("  eax %08x ebx %08x ecx %08x edx %08x\n"
                   "  esi %08x edi %08x ebp %08x esp %08x\n"
                   "  eip %08x eflags %08x cs %x\n",
                   f->eax, f->ebx, f->ecx, f->edx, f->esi, f->edi, f->ebp, f->esp, f->eip,
                   f->eflags, f->cs);
    console_printf("  cr0 %08x cr2 %08x cr3 %x cr4 %x\n", cpu_read_cr0(), cpu_read_cr2(),
                   cpu_read_cr3(), cpu_read_cr4());
}
