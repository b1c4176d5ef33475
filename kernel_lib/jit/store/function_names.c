#include "kernel_lib/jit/store/function_names.h"
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, size_t a_size, const char *b) {
    size_t b_size = strlen(b);
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare(const void *left, const void *right) {
    const struct jit_function *const *a = left, *const *b = right;
    return compare_names((*a)->name, strlen((*a)->name), (*b)->name);
}

bool function_names_init(struct function_names *names, struct jit_function *const *functions,
                         size_t count) {
    *names = (struct function_names){malloc((count + 1) * sizeof *names->sorted), count};
    if (!names->sorted)
        return false;
    for (size_t i = 0; i < count; i++)
        names->sorted[i] = functions[i];
    qsort(names->sorted, count, sizeof *names->sorted, compare);
    return true;
}

void function_names_free(struct function_names *names) {
    free(names->sorted);
    names->sorted = NULL;
}

struct jit_function *function_names_find(const struct function_names *names, const void *name,
                                         size_t size) {
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_names(name, size, names->sorted[middle]->name);
        if (order == 0)
            return names->sorted[middle];
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
