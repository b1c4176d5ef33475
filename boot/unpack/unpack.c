#include "unpack.h"
#include "boot/kernel_header.h"
#include "boot/memory_map.h"
#include "branches.h"

_Static_assert(KERNEL_UNPACK_MARGIN >= ZSTD_MARGIN && ZSTD_MARGIN >= ZSTD_STEP,
               "the decoder reaches beyond the margin");
_Static_assert(UNPACK_WORKSPACE + sizeof(struct zstd) < UNPACK_STACK_TOP, "no room for a stack");

bool unpack(struct zstd *zstd, uint8_t *image, size_t image_size, const uint8_t *file,
            const uint8_t *end) {
    size_t header = sizeof(struct kernel_header);
    zstd_copy(image, image + header, file); /* it is as it is */
    if (zstd_unpack(zstd, image + header, file + header, end) != image + image_size)
        return false;
    branches_restore(image + header, image_size - header);
    return true;
}
