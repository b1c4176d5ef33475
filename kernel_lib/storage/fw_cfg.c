#include "fw_cfg.h"
#include "kernel_lib/io/ports.h"
#include "kernel_lib/runtime.h"

#define PORT_SELECTOR 0x510
#define PORT_DATA 0x511
#define PORT_DMA_HIGH 0x514 /* a 64-bit address, big-endian, the higher half written first */
#define PORT_DMA_LOW 0x518

#define KEY_SIGNATURE 0x0000 /* "QEMU" */
#define KEY_DIRECTORY 0x0019

#define DMA_ERROR 0x01
#define DMA_READ 0x02
#define DMA_SELECT 0x08

#define HYPERVISOR_PRESENT (1u << 31) /* CPUID.1:ECX */

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

/* Whether the device is there. Its ports are touched only where there is a hypervisor. */
static bool is_present(void) {
    if (!(cpu_cpuid(1, 0).ecx & HYPERVISOR_PRESENT))
        return false;
    outw(PORT_SELECTOR, KEY_SIGNATURE);
    for (const char *expected = "QEMU"; *expected; expected++)
        if (inb(PORT_DATA) != (uint8_t)*expected)
            return false;
    return true;
}

static bool find(const char *name, struct directory_entry *entry) {
    uint32_t count;
    if (!read_item(KEY_DIRECTORY, &count, sizeof count))
        return false;
    for (count = __builtin_bswap32(count); count > 0; count--) {
        if (!read_next(0, entry, sizeof *entry))
            return false;
        if (strncmp(entry->name, name, sizeof entry->name) == 0)
            return true;
    }
    return false;
}

char *fw_cfg_read(const char *name, size_t *size) {
    struct directory_entry entry;
    if (!is_present() || !find(name, &entry))
        return NULL;
    *size = __builtin_bswap32(entry.size);
    char *bytes = malloc(*size);
    if (bytes && read_item(__builtin_bswap16(entry.key), bytes, *size))
        return bytes;
    free(bytes);
    return NULL;
}
