#include "unpack_kernel.h"
#include "boot/kernel_header.h"
#include "boot/memory_map.h"

_Static_assert(UNPACK_WORKSPACE + sizeof(union unpack_workspace) < UNPACK_STACK_TOP,
               "no room for a stack");

bool unpack_kernel(union unpack_workspace *workspace, uint8_t *image, size_t image_size,
                   const uint8_t *file, const uint8_t *end) {
    const size_t header = sizeof(struct kernel_header);
    uint32_t flags;
    __builtin_memcpy(&flags, file + offsetof(struct kernel_header, flags), sizeof flags);
    if (flags & KERNEL_ZSTD)
        return unpack(&workspace->zstd, image, image_size, file, end);
    size_t distance = (size_t)(file + header - image);
    if (image_size < header || distance < STREAMS_MARGIN || image_size > distance - STREAMS_MARGIN)
        return false;
    zstd_copy(image, image + header, file); /* it is as it is */
    return streams_unpack(&workspace->lzma, !(flags & KERNEL_I386), image + header,
                          image + image_size, file + header, end);
}
