/* CRC-32 of IEEE 802.3, as zlib's crc32() makes it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* The checksum of size bytes that follow those whose checksum is crc; 0 at the beginning. */
uint32_t crc32_update(uint32_t crc, const void *bytes, size_t size);
