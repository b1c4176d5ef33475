/* Intel 8259A data sheet: initialisation and operation command words. */
#include "kernel_lib/cpu/pic.h"
#include "kernel_lib/io/ports.h"
#include <stdint.h>

#define MASTER 0x20
#define SLAVE 0xA0
#define MASTER_MASK 0x21
#define SLAVE_MASK 0xA1

#define ICW1_EDGE_CASCADE_ICW4 0x11
#define ICW3_MASTER_SLAVE_ON_IRQ2 0x04
#define ICW3_SLAVE_ID 0x02
#define ICW4_8086 0x01
#define OCW2_END_OF_INTERRUPT 0x20
#define OCW3_READ_IN_SERVICE 0x0B

#define BIOS_MASTER_BASE 0x08
#define BIOS_SLAVE_BASE 0x70

static uint16_t mask = 0xFFFF & ~(1u << IRQ_CASCADE);
static uint16_t bios_mask;

/* The controllers take their words in order; old ones need a moment between two. */
static void write(uint16_t port, uint8_t value) {
    outb(port, value);
    outb(0x80, 0); /* POST code port: takes about 1 us on an ISA bus and does nothing */
}

static void program(uint8_t master_base, uint8_t slave_base, uint16_t masks) {
    write(MASTER, ICW1_EDGE_CASCADE_ICW4);
    write(SLAVE, ICW1_EDGE_CASCADE_ICW4);
    write(MASTER_MASK, master_base);
    write(SLAVE_MASK, slave_base);
    write(MASTER_MASK, ICW3_MASTER_SLAVE_ON_IRQ2);
    write(SLAVE_MASK, ICW3_SLAVE_ID);
    write(MASTER_MASK, ICW4_8086);
    write(SLAVE_MASK, ICW4_8086);
    outb(MASTER_MASK, (uint8_t)masks);
    outb(SLAVE_MASK, (uint8_t)(masks >> 8));
}

void pic_start(void) {
    bios_mask = (uint16_t)(inb(MASTER_MASK) | inb(SLAVE_MASK) << 8);
    program(PIC_VECTOR_BASE, PIC_VECTOR_BASE + 8, mask);
}

static void set_mask(unsigned masks) {
    mask = (uint16_t)masks;
    outb(MASTER_MASK, (uint8_t)mask);
    outb(SLAVE_MASK, (uint8_t)(mask >> 8));
}

void pic_unmask(unsigned irq) {
    set_mask(mask & ~(1u << irq));
}

void pic_mask(unsigned irq) {
    set_mask(mask | 1u << irq);
}

bool pic_spurious(unsigned irq) {
    if (irq % 8 != 7)
        return false;
    uint16_t port = irq < 8 ? MASTER : SLAVE;
    outb(port, OCW3_READ_IN_SERVICE);
    if (inb(port) & 0x80)
        return false;
    if (port == SLAVE)
        outb(MASTER, OCW2_END_OF_INTERRUPT); /* for the master the cascade's IRQ was real */
    return true;
}

void pic_acknowledge(unsigned irq) {
    if (irq >= 8)
        outb(SLAVE, OCW2_END_OF_INTERRUPT);
    outb(MASTER, OCW2_END_OF_INTERRUPT);
}

void pic_enter_bios(void) {
    program(BIOS_MASTER_BASE, BIOS_SLAVE_BASE, bios_mask | 1u << IRQ_KEYBOARD | 1u << IRQ_COM1);
}

void pic_leave_bios(void) {
    program(PIC_VECTOR_BASE, PIC_VECTOR_BASE + 8, mask);
}
