"""The kernel file: the linked ELF as a flat image with its header (boot/kernel_header.h) completed.

The linker script lays the header out and fills in the sizes; build id and CRC can only be known afterwards.
The loader also takes the image compressed.
"""

import hashlib
import io
import re
import zlib
from dataclasses import dataclass
from typing import Literal

import zstandard
from elftools.elf.constants import P_FLAGS
from elftools.elf.elffile import ELFFile

from bareflow.errors import BareFlowError
from bareflow.kernel import streams
from bareflow.layouts import read_header

_CONTRACT = read_header("boot/kernel_header.h")
_LAYOUT = _CONTRACT.structures["kernel_header"]
SIGNATURE = _CONTRACT["KERNEL_SIGNATURE"]
VERSION = _CONTRACT["KERNEL_HEADER_VERSION"]
COMPRESSED = _CONTRACT["KERNEL_COMPRESSED"]
ZSTD = _CONTRACT["KERNEL_ZSTD"]
STREAMS = _CONTRACT["KERNEL_STREAMS"]
I386 = _CONTRACT["KERNEL_I386"]
UNPACK_MARGIN = _CONTRACT["KERNEL_UNPACK_MARGIN"]
HEADER_SIZE = _LAYOUT.size
BUILD_ID_SIZE = _LAYOUT["build_id"].size
MAX_BLOCK = 128 << 10
MAX_WINDOW_LOG = 26
"""The loader refuses offsets of 2^26 and more."""
BLOCK_HEADER_SIZE = 3
BLOCK_RLE = 1
BRANCH_SIZE = 5
_BRANCH_OPCODES = re.compile(b"[\xe8\xe9]")


Compression = int | Literal["streams"]
"""A Zstandard level, or 0 for none, or streams packed by LZMA: smaller, and slower to unpack."""


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
    header = KernelHeader(**_LAYOUT.unpack(kernel))
    if header.signature != SIGNATURE:
        raise KernelFileError(f"signature {header.signature:#010x} instead of {SIGNATURE:#010x}")
    if header.version != VERSION or header.header_size != HEADER_SIZE:
        raise KernelFileError(f"header version {header.version}, {header.header_size} bytes, is not known")
    if header.file_size != len(kernel):
        raise KernelFileError(f"the header says {header.file_size} bytes, the file has {len(kernel)}")
    if header.flags & ~(COMPRESSED | I386) or header.flags & COMPRESSED == COMPRESSED:
        raise KernelFileError(f"flags {header.flags:#x} are not known")
    if not header.flags & COMPRESSED and header.image_size != header.file_size:
        raise KernelFileError(f"not compressed, but {header.file_size} bytes for {header.image_size}")
    if not header.load_address + HEADER_SIZE <= header.entry < header.load_address + header.image_size:
        raise KernelFileError(f"the entry {header.entry:#x} lies outside of the image")
    if header.memory_size < header.image_size:
        sizes = f"memory size {header.memory_size} is less than the image's {header.image_size}"
        raise KernelFileError(sizes)
    if header.flags & COMPRESSED and header.memory_size < header.file_size + 2 * UNPACK_MARGIN:
        raise KernelFileError(f"memory size {header.memory_size} leaves no room to unpack")
    return header


def _with_header(kernel: bytes, **fields: int | bytes) -> bytes:
    """The kernel file with other values in these fields of its header."""
    return _LAYOUT.pack(**{**_LAYOUT.unpack(kernel), **fields}) + kernel[HEADER_SIZE:]


def seal(kernel: bytes) -> bytes:
    """The kernel with build id (SHA-256 of its contents, first 16 bytes) and CRC-32 filled in."""
    blank = _with_header(kernel, crc32=0, build_id=bytes(BUILD_ID_SIZE))
    identified = _with_header(blank, build_id=hashlib.sha256(blank).digest()[:BUILD_ID_SIZE])
    return _with_header(identified, crc32=zlib.crc32(identified))


def lengthened(kernel: bytes, size: int) -> bytes:
    """A kernel that is not compressed, with zeros behind it, which make it a file of so many bytes."""
    longer = kernel.ljust(size, b"\0")
    memory = max(parse_header(kernel).memory_size, size)
    return seal(_with_header(longer, file_size=size, image_size=size, memory_size=memory))


def branches_to_addresses(code: bytes) -> bytes:
    """The code with addresses in place of the distances of calls and jumps: boot/unpack/branches.h."""
    result, size = bytearray(code), len(code)
    for opcode in reversed(list(_BRANCH_OPCODES.finditer(code, 0, max(0, size - BRANCH_SIZE + 1)))):
        at, position = opcode.end(), opcode.start() + BRANCH_SIZE
        distance = int.from_bytes(result[at:position], "little", signed=True)
        if -position <= distance < size:
            distance += position if distance < size - position else -size
            result[at:position] = distance.to_bytes(4, "little", signed=True)
    return bytes(result)


def _blocks(frame: bytes) -> int:
    """How many blocks a Zstandard frame has (RFC 8878, 3.1.1.2)."""
    at, count, is_last = zstandard.frame_header_size(frame), 0, 0
    while not is_last:
        header = int.from_bytes(frame[at : at + BLOCK_HEADER_SIZE], "little")
        is_last, kind, size = header & 1, header >> 1 & 3, header >> 3
        at += BLOCK_HEADER_SIZE + (1 if kind == BLOCK_RLE else size)
        count += 1
    return count


def compress(kernel: bytes, level: int) -> bytes:
    """The kernel with all behind its header as a Zstandard frame, not sealed; its memory grows if it must.

    The loader unpacks in place: what a block becomes ends UNPACK_MARGIN or more in front of the block.
    Apart from its header, no block is longer than what it becomes: so it is enough that there is room for the
    headers and for one whole block.
    """
    header = parse_header(kernel)
    if header.flags & COMPRESSED:
        raise KernelFileError("the kernel is compressed already")
    code = branches_to_addresses(kernel[HEADER_SIZE:])
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level,
        source_size=len(code),
        window_log=min(max(len(code).bit_length(), zstandard.WINDOWLOG_MIN), MAX_WINDOW_LOG),
        write_content_size=True,
    )
    frame = zstandard.ZstdCompressor(compression_params=parameters).compress(code)
    room = header.image_size + MAX_BLOCK + BLOCK_HEADER_SIZE * _blocks(frame) + 2 * UNPACK_MARGIN
    kernel_file = _with_header(
        kernel[:HEADER_SIZE] + frame,
        flags=header.flags | ZSTD,
        file_size=HEADER_SIZE + len(frame),
        memory_size=max(header.memory_size, room),
    )
    parse_header(kernel_file)
    return kernel_file


def pack_streams(kernel: bytes, code_size: int) -> bytes:
    """The kernel with all behind its header in streams, not sealed; its memory grows if it must.

    `code_size` bytes behind the header are machine code, or most of them; the rest is data.
    """
    header = parse_header(kernel)
    if header.flags & COMPRESSED:
        raise KernelFileError("the kernel is compressed already")
    code_end = HEADER_SIZE + code_size
    is_64_bit = not header.flags & I386
    packed, room = streams.pack(kernel[HEADER_SIZE:code_end], kernel[code_end:], is_64_bit=is_64_bit)
    kernel_file = _with_header(
        kernel[:HEADER_SIZE] + packed,
        flags=header.flags | STREAMS,
        file_size=HEADER_SIZE + len(packed),
        memory_size=max(header.memory_size, header.image_size + streams.MARGIN + room + UNPACK_MARGIN),
    )
    parse_header(kernel_file)
    return kernel_file


def _code_size(elf: ELFFile) -> int:
    """How many bytes from the header to the end of the segment that is executed."""
    segments = [s for s in elf.iter_segments("PT_LOAD") if s["p_filesz"]]
    start = min(s["p_paddr"] for s in segments)
    ends = [s["p_paddr"] + s["p_filesz"] for s in segments if s["p_flags"] & P_FLAGS.PF_X]
    return int(max(ends, default=start + HEADER_SIZE) - start - HEADER_SIZE)


def kernel_from_elf(elf: bytes, *, compression: Compression = 0) -> bytes:
    """The complete kernel file of a linked ELF. Raises KernelFileError when its header is wrong."""
    parsed = ELFFile(io.BytesIO(elf))
    kernel = _flatten(parsed)
    parse_header(kernel)
    if compression == "streams":
        return seal(pack_streams(kernel, _code_size(parsed)))
    return seal(compress(kernel, compression) if compression else kernel)
