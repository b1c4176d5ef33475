/*
 * PCI configuration space, mechanism #1 (PCI Local Bus Specification 3.0,
 * section 3.2.2.3.2), and the functions that are found in it.
 */
#pragma once
#include "kernel_lib/error.h"
#include "kernel_lib/io/ports.h"
#include <stdbool.h>

#define PCI_ID 0x00      /* vendor, and device in the upper half */
#define PCI_COMMAND 0x04 /* and status in the upper half */
#define PCI_COMMAND_IO 0x0001
#define PCI_COMMAND_MEMORY 0x0002
#define PCI_COMMAND_MASTER 0x0004
#define PCI_CLASS 0x08 /* class, subclass, programming interface, revision; from the top */
#define PCI_BAR(n) (0x10 + 4 * (n))
#define PCI_SUBSYSTEM 0x2C   /* vendor, and device in the upper half */
#define PCI_CLASS_IDE 0x0101 /* class and subclass */

#define PCI_CAPABILITY_VENDOR 0x09 /* the vendor says what is in it */

#define PCI_NOTHING 0xFFFFFFFFu /* what registers read as where there is no device */

/* A function of a device, in the form of the address register. */
typedef uint32_t pci_function;

static inline pci_function pci_function_at(uint8_t bus, uint8_t slot, uint8_t function) {
    return 0x80000000u | (uint32_t)bus << 16 | (uint32_t)slot << 11 | (uint32_t)function << 8;
}

/* Reads a register, PCI_NOTHING where there is no device. reg is a multiple of 4. */
static inline uint32_t pci_read(pci_function function, uint8_t reg) {
    outl(0xCF8, function | reg);
    return inl(0xCFC);
}

/* Writes the lower half of a register. */
static inline void pci_write16(pci_function function, uint8_t reg, uint16_t value) {
    outl(0xCF8, function | reg);
    outw(0xCFC, value);
}

/* Calls visit with every function on bus 0 and behind its bridges, as the BIOS has numbered them;
 * context is handed on. */
void pci_for_each(void (*visit)(pci_function function, void *context), void *context);

/* Switches bits of the command register (PCI_COMMAND_...) on; the others stay. */
void pci_enable(pci_function function, uint16_t bits);

/* The place in configuration space of the first capability of this kind behind the one at `after`
 * (0: the first of all); 0 when there is none. */
uint8_t pci_capability(pci_function function, uint8_t kind, uint8_t after);

/* Maps size bytes, offset bytes behind the start of the memory that base address register bar
 * names (32 or 64 bits, anywhere), without caching. NULL when the register names no memory or a
 * page table cannot be allocated. */
volatile void *pci_map(pci_function function, uint8_t bar, uint64_t offset, uint64_t size);
