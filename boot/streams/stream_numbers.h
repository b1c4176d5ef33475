/* Which streams there are (streams.h), in the order of the kernel file. */
#pragma once

#define STREAM_OPCODES 0 /* prefixes, opcodes, and one-byte opcodes' ModRM bytes */
#define STREAM_MODRM 1   /* those of longer opcodes, of VEX and EVEX */
#define STREAM_SIB 2
#define STREAM_DISPLACEMENTS8 3
#define STREAM_DISPLACEMENTS32 4 /* and addresses of 32 bits; the highest byte first, as in all */
#define STREAM_RELATIVE 5        /* RIP-relative addresses, plus the instruction's end */
#define STREAM_IMMEDIATES8 6
#define STREAM_IMMEDIATES32 7
#define STREAM_IMMEDIATES 8 /* of 2 and 8 bytes, the lowest first */
#define STREAM_CALLS 9      /* distances of 32 bits, plus the instruction's end */
#define STREAM_JUMPS32 10   /* the same */
#define STREAM_JUMPS8 11    /* distances of 8 bits */
#define STREAM_DATA 12      /* what is behind the code */
#define STREAMS 13

#define STREAM_SIZE_BITS 24
#define STREAM_RECORD_64 4
#define STREAM_RECORD_32 2
#define STREAMS_MARGIN 32 /* bytes behind the image that are written */
