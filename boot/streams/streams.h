/*
 * An image in streams: its machine code with bytes of the same meaning side by side, which LZMA
 * compresses better than one instruction after the other. Which byte of an instruction means what
 * follows from its opcode (Intel SDM vol. 2, appendix A). Rare instructions are taken for shorter
 * ones. This and data that lies in the code do no harm: whatever the bytes are, the unpacker comes
 * to the same conclusions about them as the packer, site_scons/bareflow/kernel/streams.py.
 *
 * The opcodes are in records, so that bytes of one kind are in the same place of each, as LZMA's
 * contexts are: an instruction begins at a multiple of STREAM_RECORD_64 or STREAM_RECORD_32 bytes,
 * and zeros fill up the last record. In 64-bit code an instruction that begins with a one-byte
 * opcode has a zero in front of it, where others have a prefix.
 *
 * Behind the kernel file's header, each stream has a 32-bit word and its bytes, packed. The word
 * has the stream's size in the lower 24 bits, and above them the byte of LZMA's properties. Streams
 * without bytes have the word alone.
 */
#pragma once
#include "lzma.h"
#include "stream_numbers.h"
#include <stdbool.h>

struct stream {
    const uint8_t *at;
    const uint8_t *end;
};

/*
 * Makes the image from `out` to `end` of what lies from `file` to `file_end`. In between, at least
 * STREAMS_MARGIN bytes behind the image, the streams are unpacked.
 * Returns false if what is packed is damaged, or if a stream would grow over what is not yet read.
 */
bool streams_unpack(struct lzma *lzma, bool is_64_bit, uint8_t *out, uint8_t *end,
                    const uint8_t *file, const uint8_t *file_end);

/* For streams.c: makes the code from `out` to `end`, whose streams these are, up to STREAMS_MARGIN
 * bytes more if they are damaged. Returns whether they ended where the code does. */
bool streams_merge(struct stream streams[STREAMS], bool is_64_bit, uint8_t *out, uint8_t *end);
