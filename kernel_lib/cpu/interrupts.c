/* Device interrupts: from the entry points in interrupts.asm to handlers. */
#include "kernel_lib/cpu/interrupts.h"
#include "kernel_lib/cpu/pic.h"

static void (*handlers[PIC_IRQS])(void);

void irq_install(unsigned irq, void (*handler)(void)) {
    handlers[irq] = handler;
    pic_unmask(irq);
}

void irq_poll(unsigned irq) {
    if (handlers[irq])
        handlers[irq]();
}

/* Called by interrupts.asm with interrupts off. */
void irq_dispatch(unsigned vector);
void irq_dispatch(unsigned vector) {
    unsigned irq = vector - PIC_VECTOR_BASE;
    if (pic_spurious(irq))
        return;
    irq_poll(irq);
    pic_acknowledge(irq);
}
