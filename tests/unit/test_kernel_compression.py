"""Compressed kernel files: what is stored, and that the loader has the room to unpack it in place."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path

import pytest
import zstandard
from bareflow.kernel.kernel_file import (
    KernelFileError,
    branches_to_addresses,
    compress,
    kernel_from_elf,
    parse_header,
    seal,
)
from elf_tools import link
from test_kernel_file import KERNEL
from unpacked_kernel import with_distances

HEADER_SIZE = 72
MARGIN = 16
BLOCK = 128 << 10


def flat_kernel(payload: bytes, bss: int = 0) -> bytes:
    size = HEADER_SIZE + len(payload)
    header = struct.pack(
        "<IHHIIQQQQ16sQ", 0x464C5544, 4, HEADER_SIZE, 0, 0,
        size, size + bss, 1 << 20, (1 << 20) + HEADER_SIZE, bytes(16), size,
    )  # fmt: skip
    return header + payload


def noise(size: int) -> bytes:
    return hashlib.shake_128(b"noise").digest(size)


PAYLOADS = {
    "one byte": b"x",
    "zeros": bytes(100_000),
    "random": noise(300_000),
    "text": Path(__file__).read_bytes() * 3,
    "easy, then hard": bytes(200_000) + noise(200_000),
    "hard, then easy": noise(200_000) + bytes(200_000),
    "branches": b"".join(
        b"\xe8" + (1000 - 7 * i).to_bytes(4, "little", signed=True) + b"\x90\x90" for i in range(99)
    ),
    "opcodes": b"\xe8\xe9" * 500 + bytes(50) + b"\xe9\xff\xff\xff\xff\xe8" * 100,
}


def block_sizes(frame: bytes) -> list[int]:
    """The stored bytes of each block of a frame, with its header."""
    at, sizes = zstandard.frame_header_size(frame), []
    while at < len(frame):
        header = int.from_bytes(frame[at : at + 3], "little")
        sizes.append(3 + (1 if header >> 1 & 3 == 1 else header >> 3))
        at += sizes[-1]
    return sizes


@pytest.mark.parametrize("level", [1, 19])
@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_unpacks_in_place_to_the_same(payload: bytes, level: int) -> None:
    packed = compress(flat_kernel(payload), level)
    header = parse_header(packed)
    assert (header.flags, header.file_size, header.image_size) == (1, len(packed), HEADER_SIZE + len(payload))
    frame = packed[HEADER_SIZE:]
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    stored, file_start = zstandard.frame_header_size(frame), header.memory_size - MARGIN - len(packed)
    unpacked = bytearray(unpacker.decompress(frame[:stored]))
    for size in block_sizes(frame):
        # The file ends MARGIN below the memory's end; each block ends as far below where it is stored.
        unpacked += unpacker.decompress(frame[stored : stored + size])
        assert HEADER_SIZE + len(unpacked) + MARGIN <= file_start + HEADER_SIZE + stored
        stored += size
    assert with_distances(bytes(unpacked)) == payload


def test_the_same_again() -> None:
    kernel = flat_kernel(PAYLOADS["text"] + noise(1000))
    assert compress(kernel, 19) == compress(kernel, 19)


def test_branches_become_addresses() -> None:
    code = bytearray(b"\x90" * 1000)
    code[100:105] = b"\xe8" + (600).to_bytes(4, "little")  # to 705
    code[200:205] = b"\xe9" + (-150).to_bytes(4, "little", signed=True)  # to 55
    code[300:305] = b"\xe8" + (900).to_bytes(4, "little")  # to 1205, outside: takes the place of -100
    code[400:405] = b"\xe8" + (-406).to_bytes(4, "little", signed=True)  # in front of the code: stays
    code[500:505] = b"\xe8" + (1000).to_bytes(4, "little")  # behind all addresses: stays
    packed = branches_to_addresses(bytes(code))
    values = [struct.unpack_from("<i", packed, at + 1)[0] for at in range(100, 600, 100)]
    assert values == [705, 55, -100, -406, 1000]
    assert with_distances(packed) == code


@pytest.mark.parametrize("size", [0, 1, 4, 5, 6, 9, 10, 1000])
def test_restored_whatever_it_is(size: int) -> None:
    few = noise(size).translate(bytes([0xE8, 0xE9, 0, 0xFF] * 64))
    for code in (noise(size), few):
        assert with_distances(branches_to_addresses(code)) == code


def test_memory_grows_only_if_it_must() -> None:
    assert (
        parse_header(compress(flat_kernel(bytes(5000), bss=200_000), 19)).memory_size == HEADER_SIZE + 205_000
    )
    least = HEADER_SIZE + 5000 + BLOCK + 3 + 2 * MARGIN
    assert parse_header(compress(flat_kernel(bytes(5000)), 19)).memory_size == least


def test_compressed_kernel_of_an_elf(tmp_path: Path) -> None:
    elf = link(tmp_path, KERNEL.format(signature="0x464C5544")).read_bytes()
    plain, packed = kernel_from_elf(elf), kernel_from_elf(elf, compression=19)
    assert len(packed) < len(plain) / 10  # it is nearly all padding
    assert with_distances(zstandard.decompress(packed[HEADER_SIZE:])) == plain[HEADER_SIZE:]
    crc = struct.unpack_from("<I", packed, 12)[0]
    assert crc == zlib.crc32(packed[:12] + bytes(4) + packed[16:])
    assert seal(packed) == packed
    assert parse_header(packed).build_id != parse_header(plain).build_id


def test_compressed_twice() -> None:
    with pytest.raises(KernelFileError, match="compressed already"):
        compress(compress(flat_kernel(bytes(5000)), 1), 1)
