/* The registers of an exception's report. */
#include "frames.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/runtime.h"

void exception_print_registers(const struct exception_frame *f) {
    console_printf("  rax %016lx rbx %016lx rcx %016lx\n"
                   "  rdx %016lx rsi %016lx rdi %016lx\n"
                   "  rbp %016lx rsp %016lx r8  %016lx\n",
                   f->rax, f->rbx, f->rcx, f->rdx, f->rsi, f->rdi, f->rbp, f->rsp, f->r8);
    console_printf("  r9  %016lx r10 %016lx r11 %016lx\n"
                   "  r12 %016lx r13 %016lx r14 %016lx\n"
                   "  r15 %016lx rip %016lx rflags %08lx\n",
                   f->r9, f->r10, f->r11, f->r12, f->r13, f->r14, f->r15, f->rip, f->rflags);
    console_printf("  cr0 %08lx cr2 %016lx cr3 %lx cr4 %lx cs %lx ss %lx\n", cpu_read_cr0(),
                   cpu_read_cr2(), cpu_read_cr3(), cpu_read_cr4(), f->cs, f->ss);
}
