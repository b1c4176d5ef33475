#include "unpack.h"
#include "boot/kernel_header.h"
#include "branches.h"

_Static_assert(KERNEL_UNPACK_MARGIN >= ZSTD_MARGIN && ZSTD_MARGIN >= ZSTD_STEP,
               "the decoder reaches beyond the margin");

bool unpack(struct zstd *zstd, uint8_t *image, size_t image_size, const uint8_t *file,
            const uint8_t *end) {
    size_t header = sizeof(struct kernel_header);
    zstd_copy(image, image + header, file); /* it is as it is */
    if (zstd_unpack(zstd, image + header, file + header, end) != image + image_size)
        return false;
    branches_restore(image + header, image_size - header);
    return true;
}
