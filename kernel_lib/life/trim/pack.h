/* Packing a kernel: what libzstd and LLVM do for it (kernel_lib/jit/trim/pack.cpp). */
#pragma once
#include "kernel_lib/error.h"
#include <stdint.h>

/* Replaces the `size` bytes at `bytes` by a Zstandard frame of them (RFC 8878) that the loader can
 * unpack. Returns the frame's size; 0 and *error if there is no memory, if the frame would not be
 * smaller, or if go_on, which is asked now and then, returns false. Then the bytes are lost. */
size_t pack(uint8_t *bytes, size_t size, bool (*go_on)(void), struct error *error);

/* Fills in the build id and the CRC-32 of the kernel file of this size, as the image builder does
 * (site_scons/bareflow/kernel/kernel_file.py, seal). */
void kernel_seal(uint8_t *file, size_t size);

/* Makes a compressed kernel file of a kernel's image (header->image_size bytes), in its place, as
 * the image builder does (site_scons/bareflow/kernel/kernel_file.py, compress). Returns its size; 0
 * and *error as pack() does. */
size_t kernel_pack(uint8_t *image, bool (*go_on)(void), struct error *error);
