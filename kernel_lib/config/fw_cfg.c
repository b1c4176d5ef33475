#include "fw_cfg.h"
#include "kernel_lib/io/ports.h"
#include "kernel_lib/pci/pci.h"
#include "kernel_lib/runtime.h"

#define PORT_SELECTOR 0x510
#define PORT_DATA 0x511
#define PORT_DMA_HIGH 0x514 /* a 64-bit address, big-endian, the higher half written first */
#define PORT_DMA_LOW 0x518

#define KEY_SIGNATURE 0x0000 /* "QEMU" */
#define KEY_DIRECTORY 0x0019

#define DMA_READ 0x02
#define DMA_SELECT 0x08

#define MOST_ITEMS 0x4000 /* keys have 14 bits */

#define HYPERVISOR_PRESENT (1u << 31) /* CPUID.1:ECX */
#define QEMU_SUBSYSTEM 0x11001AF4u /* of the devices of QEMU's PCI machines: docs/specs/pci-ids */

/* All numbers are big-endian. */
struct dma_access {
    uint32_t control; /* key << 16 | DMA_... */
    uint32_t size;
    uint64_t address;
};

struct directory_entry {
    uint32_t size;
    uint16_t key;
    uint16_t reserved;
    char name[56];
};

/* Reads the next size bytes of the item that control selects, or of the current one. */
static bool read_next(uint32_t control, void *buffer, size_t size) {
    volatile struct dma_access access = {
        .control = __builtin_bswap32(control | DMA_READ),
        .size = __builtin_bswap32((uint32_t)size),
        .address = __builtin_bswap64((uintptr_t)buffer),
    };
    uint64_t address = (uintptr_t)&access;
    outl(PORT_DMA_HIGH, __builtin_bswap32((uint32_t)(address >> 32)));
    outl(PORT_DMA_LOW, __builtin_bswap32((uint32_t)address)); /* done when this returns */
    return access.control == 0;
}

static bool read_item(uint16_t key, void *buffer, size_t size) {
    return read_next((uint32_t)key << 16 | DMA_SELECT, buffer, size);
}

/* Whether this may be QEMU: it can be told to hide that from CPUID, but its host bridge says so. */
static bool may_be_qemu(void) {
    return cpu_cpuid(1, 0).ecx & HYPERVISOR_PRESENT ||
           pci_read(pci_function_at(0, 0, 0), PCI_SUBSYSTEM) == QEMU_SUBSYSTEM;
}

/* Whether the device is there. Its ports are touched only where it may be. */
static bool is_present(void) {
    if (!may_be_qemu())
        return false;
    outw(PORT_SELECTOR, KEY_SIGNATURE);
    for (const char *expected = "QEMU"; *expected; expected++)
        if (inb(PORT_DATA) != (uint8_t)*expected)
            return false;
    return true;
}

/* False, with an empty error->text, if the directory does not name it. */
static bool find(const char *name, struct directory_entry *entry, struct error *error) {
    static const char unreadable[] = "QEMU does not give its list of files";
    uint32_t count;
    if (!read_item(KEY_DIRECTORY, &count, sizeof count))
        return error_set(error, unreadable);
    count = __builtin_bswap32(count);
    if (count > MOST_ITEMS)
        return error_set(error, unreadable);
    for (; count > 0; count--) {
        if (!read_next(0, entry, sizeof *entry))
            return error_set(error, unreadable);
        if (strncmp(entry->name, name, sizeof entry->name) == 0)
            return true;
    }
    return false;
}

char *fw_cfg_read(const char *name, size_t limit, size_t *size, struct error *error) {
    struct directory_entry entry;
    error->text[0] = '\0';
    if (!is_present() || !find(name, &entry, error))
        return NULL;
    *size = __builtin_bswap32(entry.size);
    if (*size > limit) {
        error_set(error, "its %zu bytes are too many", *size);
        return NULL;
    }
    char *bytes = malloc(*size + 1);
    if (!bytes)
        error_set(error, "there is no memory for its %zu bytes", *size);
    else if (read_item(__builtin_bswap16(entry.key), bytes, *size))
        return bytes;
    else
        error_set(error, "QEMU does not give it");
    free(bytes);
    return NULL;
}
