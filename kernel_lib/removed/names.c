#include "kernel_lib/removed/names.h"
#include <string.h>

const char *removed_name(const struct removed_names *table, uint32_t id) {
    const char *name = (const char *)&table->ids[table->count];
    for (uint32_t i = 0; i < table->count; i++, name += strlen(name) + 1)
        if (table->ids[i] == id)
            return name;
    return NULL;
}
