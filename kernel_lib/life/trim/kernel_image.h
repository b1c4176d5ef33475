/* A kernel file's contents as they are in memory before the kernel runs. */
#pragma once
#include "boot/kernel_header.h"
#include "kernel_lib/error.h"
#include <stdint.h>

/* Reads and unpacks the kernel file at path, which must have this build id (32 hexadecimal
 * digits) and an intact CRC. The result is the caller's to free: header->image_size bytes that
 * begin with the header as the file has it, in an allocation of header->memory_size. NULL and
 * *error if not. */
uint8_t *kernel_image_read(const char *path, const char *build_id, struct error *error);
