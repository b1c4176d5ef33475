/*
 * PCI configuration space, mechanism #1 (PCI Local Bus Specification 3.0,
 * section 3.2.2.3.2).
 */
#pragma once
#include "kernel_lib/io/ports.h"

#define PCI_COMMAND 0x04 /* and status in the upper half */
#define PCI_COMMAND_IO 0x0001
#define PCI_COMMAND_MASTER 0x0004
#define PCI_CLASS 0x08 /* class, subclass, programming interface, revision; from the top */
#define PCI_BAR(n) (0x10 + 4 * (n))
#define PCI_SUBSYSTEM 0x2C   /* vendor, and device in the upper half */
#define PCI_CLASS_IDE 0x0101 /* class and subclass */

/* A function of a device, in the form of the address register. */
typedef uint32_t pci_function;

static inline pci_function pci_function_at(uint8_t bus, uint8_t slot, uint8_t function) {
    return 0x80000000u | (uint32_t)bus << 16 | (uint32_t)slot << 11 | (uint32_t)function << 8;
}

/* Reads a register, 0xFFFFFFFF where there is no device. reg is a multiple of 4. */
static inline uint32_t pci_read(pci_function function, uint8_t reg) {
    outl(0xCF8, function | reg);
    return inl(0xCFC);
}

/* Writes the lower half of a register. */
static inline void pci_write16(pci_function function, uint8_t reg, uint16_t value) {
    outl(0xCF8, function | reg);
    outw(0xCFC, value);
}
