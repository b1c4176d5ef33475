// sources: boot/streams/lzma.c boot/streams/merge.c boot/streams/streams.c
// sources: boot/streams/unpack_kernel.c boot/unpack/zstd.c boot/unpack/sequences.c
// sources: boot/unpack/huffman.c boot/unpack/fse.c boot/unpack/branches.c boot/unpack/unpack.c
// runs: 2500
/* Any bytes as the streams of a kernel file, packed or not: nothing is written outside of the
 * image's memory. */
#include "boot/kernel_header.h"
#include "boot/streams/unpack_kernel.h"
#include "check.h"
#include <string.h>

#define MEMORY 100000
#define LARGEST 4000

/* The file of these streams, in the image's memory. */
static void unpack_file(const uint8_t *data, size_t size, uint32_t flags, size_t image_size) {
    static union unpack_workspace workspace;
    static uint8_t memory[MEMORY];
    size_t header = sizeof(struct kernel_header), file_size = header + size;
    uint8_t *end = memory + MEMORY - KERNEL_UNPACK_MARGIN;
    uint8_t *file = end - file_size;
    memset(memory, 0xA5, MEMORY);
    memset(file, 0, header);
    memcpy(file + offsetof(struct kernel_header, flags), &flags, sizeof flags);
    memcpy(file + header, data, size);
    unpack_kernel(&workspace, memory, image_size, file, end);
    for (unsigned i = 0; i < KERNEL_UNPACK_MARGIN; i++)
        CHECK(end[i] == 0xA5);
}

/* Streams of these sizes, in this order, of the code that has as many bytes, or one less. */
static void merge(const uint8_t *sizes, const uint8_t *data, size_t size, bool is_64_bit) {
    struct stream streams[STREAMS];
    uint8_t *copy = malloc(size + 1), *at = copy;
    memcpy(copy, data, size);
    for (unsigned i = 0; i < STREAMS; i++) {
        size_t left = (size_t)(copy + size - at), own = i == STREAM_OPCODES ? left / 2 : sizes[i];
        streams[i].at = at;
        streams[i].end = at += own < left ? own : left;
    }
    size_t code = (size_t)(at - copy) - (sizes[0] & 1 && at > copy);
    uint8_t *out = malloc(code + STREAMS_MARGIN);
    streams_merge(streams, is_64_bit, out, out + code);
    free(out);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2 + STREAMS || size > LARGEST)
        return 0;
    bool is_64_bit = data[0] & 1;
    if (data[0] & 2)
        merge(data + 2, data + 2 + STREAMS, size - 2 - STREAMS, is_64_bit);
    else
        unpack_file(data + 2, size - 2, KERNEL_STREAMS | (is_64_bit ? 0 : KERNEL_I386),
                    sizeof(struct kernel_header) + data[1] * 8u);
    return 0;
}
