/*
 * The two 8259A interrupt controllers (Intel 8259A data sheet).
 */
#pragma once
#include <stdbool.h>

#define PIC_VECTOR_BASE 0x20 /* IRQ 0-15 arrive as vectors 0x20-0x2F, behind the exceptions */
#define PIC_IRQS 16

/* Which device has which IRQ in a PC. */
#define IRQ_TIMER 0
#define IRQ_KEYBOARD 1
#define IRQ_CASCADE 2 /* the second controller */
#define IRQ_COM1 4

/* Saves the BIOS's masks, moves the IRQs away from the exceptions' vectors and masks them all. */
void pic_start(void);

/* Lets the IRQ (0-15) through. */
void pic_unmask(unsigned irq);

/* Holds it back again. */
void pic_mask(unsigned irq);

/* True when the controller raised this IRQ without a device behind it (only 7 and 15 can be):
 * such an interrupt has no handler to run and nothing to acknowledge. */
bool pic_spurious(unsigned irq);

/* Acknowledges the IRQ (end of interrupt). */
void pic_acknowledge(unsigned irq);

/* Before a BIOS call in real mode: the BIOS's vectors (0x08, 0x70) and masks, except that the
 * keyboard's and COM1's interrupts stay masked so that the BIOS takes no input from us.
 * Call with interrupts off. */
void pic_enter_bios(void);

/* After the BIOS call, back in long mode with interrupts off: our vectors and masks again. The
 * reprogrammed controller has forgotten the edges of IRQs that came meanwhile: poll keyboard and
 * COM1. */
void pic_leave_bios(void);
