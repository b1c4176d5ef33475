/*
 * Unpacks an LZ4 block byte by byte into a window of 64 KiB, for data that is looked through once
 * and need never be in memory as a whole (lz4_Block_format.md).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Gives every unpacked byte to take, with context, until take returns false. False when the block
 * is damaged, true otherwise. One block at a time: the window is static. */
bool lz4_stream(const uint8_t *block, size_t size, bool (*take)(void *context, uint8_t byte),
                void *context);
