/* Unpacking a kernel file that is a Zstandard frame behind its header (boot/kernel_header.h). */
#pragma once
#include "zstd.h"

/*
 * Makes the image at `image` of the file from `file` to `end`, which lies at its memory's end, at
 * least KERNEL_UNPACK_MARGIN higher. Returns whether that gave exactly `image_size` bytes. Nothing
 * is written in front of the image or behind the file's beginning; up to KERNEL_UNPACK_MARGIN bytes
 * behind the file are read.
 */
bool unpack(struct zstd *zstd, uint8_t *image, size_t image_size, const uint8_t *file,
            const uint8_t *end);
