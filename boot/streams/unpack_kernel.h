/* Unpacking a kernel file, whichever way it is packed: what boot/stage2.asm calls. */
#pragma once
#include "boot/unpack/unpack.h"
#include "streams.h"

union unpack_workspace {
    struct zstd zstd;
    struct lzma lzma;
};

/*
 * Makes the image at `image` of the file from `file` to `end`, which lies at its memory's end, at
 * least KERNEL_UNPACK_MARGIN higher. Returns whether that gave exactly `image_size` bytes. Nothing
 * is written in front of the image or behind the file's beginning; up to KERNEL_UNPACK_MARGIN bytes
 * behind the file are read.
 */
bool unpack_kernel(union unpack_workspace *workspace, uint8_t *image, size_t image_size,
                   const uint8_t *file, const uint8_t *end);
