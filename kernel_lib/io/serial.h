/* COM1: what kernel_lib itself needs beyond runtime.h. */
#pragma once
#include <stdbool.h>

/* Whether there is a UART; serial_init() finds out. */
bool serial_present(void);

/* From now on received bytes come by interrupt (IRQ 4) into a ring, so that waiting with HLT ends
 * when one arrives. Needs the IDT and the PIC; without it serial_read polls. */
void serial_receive_by_interrupt(void);

/* Waits until everything written has left the UART. What is still in it when the machine stops is
 * lost. */
void serial_flush(void);
