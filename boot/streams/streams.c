#include "streams.h"

#define WORD 4

bool streams_unpack(struct lzma *lzma, bool is_64_bit, uint8_t *out, uint8_t *end,
                    const uint8_t *file, const uint8_t *file_end) {
    struct stream streams[STREAMS];
    uint8_t *unpacked = end + STREAMS_MARGIN;
    for (unsigned i = 0; i < STREAMS; i++) {
        uint32_t word;
        if (file_end - file < (ptrdiff_t)sizeof word)
            return false;
        __builtin_memcpy(&word, file, sizeof word);
        file += sizeof word;
        size_t size = word & ((1u << STREAM_SIZE_BITS) - 1);
        if (size)
            file = lzma_unpack(lzma, word >> STREAM_SIZE_BITS, unpacked, size, file, file_end);
        if (!file)
            return false;
        streams[i].at = unpacked;
        streams[i].end = unpacked += size;
    }
    struct stream *data = &streams[STREAM_DATA];
    if (file != file_end || data->end - data->at > end - out)
        return false;
    uint8_t *code_end = end - (data->end - data->at);
    if (!streams_merge(streams, is_64_bit, out, code_end))
        return false;
    for (out = code_end; out < end; out++)
        *out = *data->at++;
    return true;
}
