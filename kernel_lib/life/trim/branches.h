/* The packer's half of boot/unpack/branches.h. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Makes addresses of the distances of calls and jumps in the `size` bytes of code. */
void branches_to_addresses(uint8_t *code, size_t size);
