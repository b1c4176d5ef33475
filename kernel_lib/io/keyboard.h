/* The keyboard: what kernel_lib itself needs beyond runtime.h. */
#pragma once

/* Starts taking keys by interrupt (IRQ 1). Needs the IDT and the PIC. */
void keyboard_start(void);
