/* Device interrupts: which handler runs for which IRQ. */
#pragma once

/* Called by interrupts.asm for every exception, with interrupts off. */
struct exception_frame;
_Noreturn void exception_dispatch(const struct exception_frame *frame);

/* Sets the handler of an IRQ (0-15) and unmasks it. The handler runs with interrupts off, on the
 * interrupt stack, and must not use AVX registers: only x87 and SSE state is saved around it. */
void irq_install(unsigned irq, void (*handler)(void));

/* Runs the handler of an IRQ as if its interrupt had come. Call with interrupts off. */
void irq_poll(unsigned irq);
