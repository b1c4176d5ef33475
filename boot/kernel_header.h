/*
 * The kernel file's header, at offset 0 of the file and of its image in
 * memory. kernel_lib/cpu/kernel_header.inc lays it out, site_scons/bareflow/kernel/kernel_file.py
 * compresses the file and fills in crc32 and build_id, boot/stage2.asm checks it. They all know it
 * from here (site_scons/bareflow/layouts.py).
 */
#pragma once
#include <stdint.h>

#define KERNEL_SIGNATURE 0x464C5544u /* "DULF" on disk: FLUD read as little-endian */
#define KERNEL_HEADER_VERSION 4

/* flags */
#define KERNEL_ZSTD 1    /* behind the header, a Zstandard frame (boot/unpack/unpack.h) */
#define KERNEL_I386 2    /* 32-bit code; else 64-bit */
#define KERNEL_STREAMS 4 /* behind the header, streams (boot/streams/streams.h); not with ZSTD */
#define KERNEL_COMPRESSED (KERNEL_ZSTD | KERNEL_STREAMS)

/*
 * A compressed kernel is unpacked in place. The loader puts the file where the kernel's memory
 * ends less this. With Zstandard it demands that what a block unpacks to ends this far in front of
 * the block, or further. So memory_size >= image_size + 128 KiB, the largest block, and a little
 * more for each. With streams it demands room for these, too: memory_size is about twice
 * image_size.
 */
#define KERNEL_UNPACK_MARGIN 16

struct kernel_header {
    uint32_t signature;
    uint16_t version;
    uint16_t header_size; /* bytes of this header: 72 */
    uint32_t flags;
    uint32_t crc32;        /* IEEE 802.3 CRC-32 of the whole file with this field as 0 */
    uint64_t file_size;    /* bytes of the file as stored */
    uint64_t memory_size;  /* bytes in memory, with .bss */
    uint64_t load_address; /* physical; 1 MiB or above, a multiple of 4096 */
    uint64_t entry;        /* physical address of the first instruction */
    uint8_t build_id[16];
    uint64_t image_size; /* bytes of header to .data, unpacked; else file_size */
};
