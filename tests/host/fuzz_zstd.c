// sources: boot/unpack/zstd.c boot/unpack/sequences.c boot/unpack/huffman.c boot/unpack/fse.c
// sources: boot/unpack/branches.c boot/unpack/unpack.c
// libraries: zstd
// runs: 1500
/* Any bytes as the frame of a kernel file, unpacked in place: nothing is written outside of the
 * image's memory, and what is accepted is what the Zstandard library makes of it, unless it refuses
 * it, which it does for more reasons. */
#include "boot/kernel_header.h"
#include "boot/unpack/branches.h"
#include "boot/unpack/unpack.h"
#include "check.h"
#include <string.h>
#include <zstd.h>

#define MEMORY 500000
#define FRAME_START "\x28\xB5\x2F\xFD\x00\x58" /* magic number, no sizes, a window of 2 MiB */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct zstd decoder;
    static uint8_t theirs[MEMORY], image[MEMORY];
    static ZSTD_DCtx *unpacker;
    size_t header = sizeof(struct kernel_header), start = sizeof FRAME_START - 1;
    size_t file_size = header + start + size;
    if (file_size > MEMORY / 2)
        return 0;
    uint8_t *end = image + MEMORY - KERNEL_UNPACK_MARGIN;
    uint8_t *file = end - file_size, *frame = file + header;
    memset(image, 0xA5, MEMORY);
    memcpy(frame, FRAME_START, start);
    memcpy(frame + start, data, size);
    if (!unpacker)
        unpacker = ZSTD_createDCtx();
    size_t image_size = ZSTD_decompressDCtx(unpacker, theirs, sizeof theirs, frame, start + size);
    bool is_good = !ZSTD_isError(image_size);
    image_size = header + (is_good ? image_size : size);
    if (unpack(&decoder, image, image_size, file, end) && is_good) {
        branches_restore(theirs, image_size - header);
        CHECK(memcmp(image + header, theirs, image_size - header) == 0);
    }
    for (unsigned i = 0; i < KERNEL_UNPACK_MARGIN; i++)
        CHECK(end[i] == 0xA5);
    return 0;
}
