/* PCI Local Bus Specification 3.0, chapter 6; PCI-to-PCI Bridge Architecture 1.2, section 3.2. */
#include "kernel_lib/pci/pci.h"
#include "kernel_lib/cpu/paging.h"

#define SLOTS 32
#define FUNCTIONS 8

#define HEADER 0x0C /* the register with the header's type, in bits 16 to 23 */
#define HEADER_TYPE(value) ((value) >> 16 & 0x7F)
#define HEADER_MANY_FUNCTIONS (1u << 23)
#define TYPE_BRIDGE 1
#define BRIDGE_BUSES 0x18 /* primary, secondary, subordinate bus */

#define STATUS_CAPABILITIES (1u << 20) /* in PCI_COMMAND's upper half */
#define CAPABILITIES 0x34              /* the first one's place */
#define MOST_CAPABILITIES 48           /* as many as fit: the list may be a loop */

#define BAR_IS_IO 1u
#define BAR_TYPE_64 (2u << 1)
#define BAR_TYPE (3u << 1)
#define BAR_ADDRESS 0xFFFFFFF0u

static void visit_bus(uint8_t bus, void (*visit)(pci_function, void *), void *context) {
    for (uint8_t slot = 0; slot < SLOTS; slot++) {
        uint8_t functions = 1;
        for (uint8_t i = 0; i < functions; i++) {
            pci_function function = pci_function_at(bus, slot, i);
            if (pci_read(function, PCI_ID) == PCI_NOTHING)
                continue;
            uint32_t header = pci_read(function, HEADER);
            if (i == 0 && (header & HEADER_MANY_FUNCTIONS))
                functions = FUNCTIONS;
            visit(function, context);
            uint8_t secondary = (uint8_t)(pci_read(function, BRIDGE_BUSES) >> 8);
            /* A bridge that leads upwards would lead round in circles. */
            if (HEADER_TYPE(header) == TYPE_BRIDGE && secondary > bus)
                visit_bus(secondary, visit, context);
        }
    }
}

void pci_for_each(void (*visit)(pci_function function, void *context), void *context) {
    visit_bus(0, visit, context);
}

void pci_enable(pci_function function, uint16_t bits) {
    uint16_t command = (uint16_t)pci_read(function, PCI_COMMAND);
    if ((command & bits) != bits)
        pci_write16(function, PCI_COMMAND, command | bits);
}

uint8_t pci_capability(pci_function function, uint8_t kind, uint8_t after) {
    if (!(pci_read(function, PCI_COMMAND) & STATUS_CAPABILITIES))
        return 0;
    uint8_t place = after ? after + 1 : CAPABILITIES;
    for (int i = 0; i < MOST_CAPABILITIES; i++) {
        uint32_t pointer = pci_read(function, place & 0xFC) >> 8 * (place & 3);
        place = pointer & 0xFC;
        if (place == 0)
            break;
        if ((uint8_t)pci_read(function, place) == kind)
            return place;
        place++; /* the next pointer */
    }
    return 0;
}

volatile void *pci_map(pci_function function, uint8_t bar, uint64_t offset, uint64_t size) {
    uint64_t base = pci_read(function, PCI_BAR(bar));
    struct error error;
    if (base & BAR_IS_IO)
        return NULL;
    if ((base & BAR_TYPE) == BAR_TYPE_64)
        base |= (uint64_t)pci_read(function, PCI_BAR(bar + 1)) << 32;
    base &= BAR_ADDRESS | 0xFFFFFFFFull << 32;
    if (base == 0 || offset > MEMORY_END || base > MEMORY_END - offset ||
        size > MEMORY_END - base - offset)
        return NULL;
    if (!memory_map_device(base + offset, size, &error))
        return NULL;
    return (volatile void *)(base + offset);
}
