"""Compressed kernel files: what is stored, and that the loader has the room to unpack it in place."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path

import lz4.block
import pytest
from bareflow.kernel_file import KernelFileError, compress, kernel_from_elf, parse_header, seal
from elf_tools import link
from lz4_reference import DamagedStreamError, random_stream, unpack
from test_kernel_file import KERNEL

HEADER_SIZE = 72
MARGIN = 16


def flat_kernel(payload: bytes, bss: int = 0) -> bytes:
    size = HEADER_SIZE + len(payload)
    header = struct.pack(
        "<IHHIIQQQQ16sQ", 0x464C5544, 2, HEADER_SIZE, 0, 0,
        size, size + bss, 1 << 20, (1 << 20) + HEADER_SIZE, bytes(16), size,
    )  # fmt: skip
    return header + payload


PAYLOADS = {
    "one byte": b"x",
    "zeros": bytes(100_000),
    "random": hashlib.shake_128(b"random").digest(300_000),
    "text": Path(__file__).read_bytes() * 3,
    "easy, then hard": bytes(200_000) + hashlib.shake_128(b"hard").digest(200_000),
    "hard, then easy": hashlib.shake_128(b"hard").digest(200_000) + bytes(200_000),
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_unpacks_in_place_to_the_same(payload: bytes) -> None:
    packed = compress(flat_kernel(payload))
    header = parse_header(packed)
    assert (header.flags, header.file_size, header.image_size) == (1, len(packed), HEADER_SIZE + len(payload))
    stream = packed[HEADER_SIZE:]
    unpacked = unpack(stream)
    assert unpacked.data == payload
    # The file ends MARGIN below the memory's end; after each match, what is written ends MARGIN or more below
    # what is still to be read.
    assert header.memory_size >= HEADER_SIZE + len(stream) + unpacked.lead + 2 * MARGIN


def test_memory_grows_only_if_it_must() -> None:
    assert parse_header(compress(flat_kernel(bytes(5000), bss=4000))).memory_size == HEADER_SIZE + 9000
    assert parse_header(compress(flat_kernel(bytes(5000)))).memory_size == HEADER_SIZE + 5000 + 64


def test_compressed_kernel_of_an_elf(tmp_path: Path) -> None:
    elf = link(tmp_path, KERNEL.format(signature="0x464C5544")).read_bytes()
    plain, packed = kernel_from_elf(elf), kernel_from_elf(elf, compressed=True)
    assert len(packed) < len(plain) / 10  # it is nearly all padding
    assert lz4.block.decompress(packed[HEADER_SIZE:], len(plain)) == plain[HEADER_SIZE:]
    crc = struct.unpack_from("<I", packed, 12)[0]
    assert crc == zlib.crc32(packed[:12] + bytes(4) + packed[16:])
    assert seal(packed) == packed
    assert parse_header(packed).build_id != parse_header(plain).build_id


def test_compressed_twice() -> None:
    with pytest.raises(KernelFileError, match="compressed already"):
        compress(compress(flat_kernel(bytes(5000))))


@pytest.mark.parametrize("seed", range(8))
def test_the_reference_is_right(seed: int) -> None:
    """The unpacker of these tests and the library, which has nothing to do with it, agree."""
    stream = random_stream(seed, 100_000)
    data = unpack(stream).data
    assert lz4.block.decompress(stream, len(data)) == data
    assert unpack(lz4.block.compress(data, store_size=False)).data == data


@pytest.mark.parametrize("stream", [b"", b"\x10", b"\xf0\xff", b"\x10x\0\0\0", b"\x10x\2\0\0", b"\x10x\1\0"])
def test_the_reference_refuses(stream: bytes) -> None:
    with pytest.raises(DamagedStreamError):
        unpack(stream)
