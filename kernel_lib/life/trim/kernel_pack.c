#include "boot/kernel_header.h"
#include "boot/unpack/zstd.h"
#include "branches.h"
#include "pack.h"

/* Bytes of the headers of a frame's blocks (RFC 8878, 3.1.1). */
static size_t block_headers_size(const uint8_t *frame, const uint8_t *end) {
    static const uint8_t size_bytes[] = {0, 2, 4, 8};
    enum { HEADER_SIZE = 3, RLE = 1 };
    size_t size = 0;
    const uint8_t *at = frame + 5 + size_bytes[frame[4] >> 6] + !(frame[4] & 0x20);
    while (at < end) {
        uint32_t header = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
        at += HEADER_SIZE + ((header >> 1 & 3) == RLE ? 1 : header >> 3);
        size += HEADER_SIZE;
    }
    return size;
}

size_t kernel_pack(uint8_t *image, bool (*go_on)(void), struct error *error) {
    struct kernel_header *header = (struct kernel_header *)image;
    uint8_t *code = image + sizeof *header;
    size_t size = header->image_size - sizeof *header;
    branches_to_addresses(code, size);
    size_t frame = pack(code, size, go_on, error);
    if (frame == 0)
        return 0;
    uint64_t room = header->image_size + ZSTD_MAX_BLOCK + block_headers_size(code, code + frame) +
                    2 * KERNEL_UNPACK_MARGIN;
    header->flags = KERNEL_ZSTD;
    header->file_size = sizeof *header + frame;
    header->memory_size = header->memory_size > room ? header->memory_size : room;
    kernel_seal(image, header->file_size);
    return header->file_size;
}
