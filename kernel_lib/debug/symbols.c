#include "kernel_lib/debug/symbols.h"
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/removed/lz4_stream.h"
#include <string.h>

/* Only in images of which functions may be removed; the others have few names. */
#pragma weak lz4_stream

struct unpacking {
    uint32_t names_before;
    size_t length;
    char name[SYMBOL_NAME_SIZE];
};

static bool take(void *context, uint8_t byte) {
    struct unpacking *u = context;
    if (u->names_before > 0) {
        u->names_before -= byte == 0;
        return true;
    }
    u->name[u->length] = (char)byte;
    return byte != 0 && ++u->length < sizeof u->name - 1;
}

static const char *unpack(const char *block, uint32_t index) {
    static struct unpacking u;
    u = (struct unpacking){.names_before = index % kernel_symbols.names_in_block};
    uint32_t size;
    memcpy(&size, block, sizeof size);
    for (uint32_t before = index / kernel_symbols.names_in_block; before > 0; before--) {
        block += sizeof size + size;
        memcpy(&size, block, sizeof size);
    }
    if (!lz4_stream)
        return NULL;
    lz4_stream((const uint8_t *)block + sizeof size, size, take, &u);
    return u.name;
}

static const char *name_of(uint32_t index) {
    const char *names = (const char *)&kernel_symbols.starts[kernel_symbols.count];
    if (kernel_symbols.names_in_block > 0)
        return unpack(names, index);
    for (uint32_t i = 0; i < index; i++)
        names += strlen(names) + 1;
    return names;
}

uint32_t symbol_index(uint64_t address) {
    if (address < (uintptr_t)__text_start || address >= (uintptr_t)__text_end)
        return SYMBOL_NONE;
    uint64_t offset = address - (uintptr_t)__kernel_start;
    uint32_t low = 0, high = kernel_symbols.count; /* the first start above offset is in between */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (kernel_symbols.starts[middle] <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? low - 1 : SYMBOL_NONE;
}

struct symbol symbol_find(uint64_t address) {
    uint32_t index = symbol_index(address);
    if (index == SYMBOL_NONE)
        return (struct symbol){0};
    uint64_t start = (uintptr_t)__kernel_start + kernel_symbols.starts[index];
    return (struct symbol){name_of(index), address - start};
}
