"""The kernel file: the linked ELF as a flat image with its header (boot/kernel_header.h) completed.

The linker script lays the header out and fills in the sizes; build id and CRC can only be known afterwards.
The loader also takes the image compressed.
"""

import hashlib
import io
import struct
import zlib
from dataclasses import dataclass

import lz4.block
from elftools.elf.elffile import ELFFile

from .errors import BareFlowError

SIGNATURE = 0x464C5544
VERSION = 2
COMPRESSED = 1
HEADER_FORMAT = "<IHHIIQQQQ16sQ"
HEADER_SIZE = struct.calcsize(HEADER_FORMAT)
FLAGS_OFFSET = 8
CRC_OFFSET = 12
SIZES_OFFSET = 16
BUILD_ID_OFFSET = 48
BUILD_ID_SIZE = 16
UNPACK_MARGIN = 16
LZ4_BEST_COMPRESSION = 12
LARGE_KERNEL = 4 << 20
LZ4_GOOD_COMPRESSION = 6
"""Within 1 % of the best, in a fifth of the time: for large kernels."""


class KernelFileError(BareFlowError):
    """The ELF, or the kernel file, is not one that the loader would take."""


@dataclass(frozen=True)
class KernelHeader:
    """The fields of struct kernel_header."""

    signature: int
    version: int
    header_size: int
    flags: int
    crc32: int
    file_size: int
    memory_size: int
    load_address: int
    entry: int
    build_id: bytes
    image_size: int


def _flatten(elf: ELFFile) -> bytes:
    """The loaded segments' file contents, as they lie in memory from the first to the last byte."""
    segments = [s for s in elf.iter_segments("PT_LOAD") if s["p_filesz"]]
    if not segments:
        raise KernelFileError("the ELF has nothing to load")
    start = min(s["p_paddr"] for s in segments)
    image = bytearray(max(s["p_paddr"] + s["p_filesz"] for s in segments) - start)
    for segment in segments:
        at = segment["p_paddr"] - start
        image[at : at + segment["p_filesz"]] = segment.data()
    return bytes(image)


def parse_header(kernel: bytes) -> KernelHeader:
    """Reads and checks a kernel file's header; raises KernelFileError with what is wrong."""
    if len(kernel) < HEADER_SIZE:
        raise KernelFileError(f"{len(kernel)} bytes are too few for a kernel file's header")
    header = KernelHeader(*struct.unpack_from(HEADER_FORMAT, kernel))
    if header.signature != SIGNATURE:
        raise KernelFileError(f"signature {header.signature:#010x} instead of {SIGNATURE:#010x}")
    if header.version != VERSION or header.header_size != HEADER_SIZE:
        raise KernelFileError(f"header version {header.version}, {header.header_size} bytes, is not known")
    if header.file_size != len(kernel):
        raise KernelFileError(f"the header says {header.file_size} bytes, the file has {len(kernel)}")
    if header.flags & ~COMPRESSED:
        raise KernelFileError(f"flags {header.flags:#x} are not known")
    if not header.flags and header.image_size != header.file_size:
        raise KernelFileError(f"not compressed, but {header.file_size} bytes for {header.image_size}")
    if not header.load_address + HEADER_SIZE <= header.entry < header.load_address + header.image_size:
        raise KernelFileError(f"the entry {header.entry:#x} lies outside of the image")
    if header.memory_size < header.image_size:
        sizes = f"memory size {header.memory_size} is less than the image's {header.image_size}"
        raise KernelFileError(sizes)
    if header.flags and header.memory_size < header.file_size + 2 * UNPACK_MARGIN:
        raise KernelFileError(f"memory size {header.memory_size} leaves no room to unpack")
    return header


def seal(kernel: bytes) -> bytes:
    """The kernel with build id (SHA-256 of its contents, first 16 bytes) and CRC-32 filled in."""
    sealed = bytearray(kernel)
    sealed[CRC_OFFSET : CRC_OFFSET + 4] = bytes(4)
    sealed[BUILD_ID_OFFSET : BUILD_ID_OFFSET + BUILD_ID_SIZE] = bytes(BUILD_ID_SIZE)
    build_id = hashlib.sha256(sealed).digest()[:BUILD_ID_SIZE]
    sealed[BUILD_ID_OFFSET : BUILD_ID_OFFSET + BUILD_ID_SIZE] = build_id
    struct.pack_into("<I", sealed, CRC_OFFSET, zlib.crc32(sealed))
    return bytes(sealed)


def compress(kernel: bytes) -> bytes:
    """The kernel with everything behind its header as an LZ4 block, not sealed; its memory grows if it must.

    The loader unpacks in place: what is written never comes closer than UNPACK_MARGIN to what is still to be
    read. LZ4_DECOMPRESS_INPLACE_MARGIN in lz4.h tells how much room that takes: the rest of a stream is
    longer than what it unpacks to by the length bytes of its literals, at most one in 256, and a few more.
    """
    header = parse_header(kernel)
    if header.flags & COMPRESSED:
        raise KernelFileError("the kernel is compressed already")
    level = LZ4_BEST_COMPRESSION if len(kernel) < LARGE_KERNEL else LZ4_GOOD_COMPRESSION
    stream = lz4.block.compress(
        kernel[HEADER_SIZE:], mode="high_compression", compression=level, store_size=False
    )
    packed = bytearray(kernel[:HEADER_SIZE]) + stream
    room = header.image_size + (len(packed) >> 8) + 4 * UNPACK_MARGIN
    struct.pack_into("<I", packed, FLAGS_OFFSET, COMPRESSED)
    struct.pack_into("<QQ", packed, SIZES_OFFSET, len(packed), max(header.memory_size, room))
    parse_header(packed)
    return bytes(packed)


def kernel_from_elf(elf: bytes, *, compressed: bool = False) -> bytes:
    """The complete kernel file of a linked ELF; raises KernelFileError when its header is wrong."""
    kernel = _flatten(ELFFile(io.BytesIO(elf)))
    parse_header(kernel)
    return seal(compress(kernel) if compressed else kernel)
