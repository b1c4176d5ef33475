"""stage2 and kernels in streams: unpacked exactly, or refused without a byte written behind their memory."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from bareflow.kernel.kernel_file import pack_streams, parse_header, seal
from bareflow.kernel.streams import DATA, OPCODES, RECORD
from compressed_kernel import (
    BAD_ADDRESSES,
    BAD_CRC,
    BAD_STREAM,
    BASE,
    CODE,
    UNTOUCHED,
    behind,
    disk_with,
    expect_error,
    expect_image,
)
from fixture_types import Boot
from kernel_streams import merged, stored_streams
from loader_disk import HEADER_SIZE, IS_64_BIT, kernel, kernel_of_frame
from machine_code import every_opcode, noise

STREAMS = 4
ZSTD_AND_STREAMS = 5

PAYLOADS = {
    "nothing": b"",
    "half an instruction": b"\x90\x48\x81\xc1\x01\x02",
    "zeros": bytes(300_000),
    "noise": noise(200_000),
    "every opcode": every_opcode(),
    "text": Path(__file__).read_bytes() * 40,
    "distant copies": noise(100_000) * 2,
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_unpacked_exactly(boot: Boot, tmp_path: Path, payload: bytes) -> None:
    """In the memory that the packer demands."""
    data = b"the end"
    code = seal(pack_streams(kernel(payload + data, "-DSTAY"), len(CODE + payload)))
    extra = behind(tmp_path, BASE + parse_header(code).memory_size)
    expect_image(boot(disk_with(tmp_path, code), extra=extra), code, CODE + payload + data)


IMAGE = CODE + every_opcode() + Path(__file__).read_bytes()
SIZE = HEADER_SIZE + len(IMAGE)
GOOD_FILE = pack_streams(kernel(IMAGE[len(CODE) :], "-DSTAY"), len(IMAGE) // 2)
GOOD = GOOD_FILE[HEADER_SIZE:]
MEMORY = parse_header(GOOD_FILE).memory_size


def test_no_more_memory_than_it_takes(boot: Boot, tmp_path: Path) -> None:
    """With a byte less it is refused."""
    code = kernel_of_frame(GOOD, "-DSTAY", flags=STREAMS, image_size=SIZE, memory_size=MEMORY)
    expect_image(boot(disk_with(tmp_path, code), extra=behind(tmp_path, BASE + MEMORY)), code, IMAGE)
    code = kernel_of_frame(GOOD, "-DSTAY", flags=STREAMS, image_size=SIZE, memory_size=MEMORY - 1)
    guest = boot(disk_with(tmp_path, code), extra=behind(tmp_path, BASE + MEMORY - 1))
    expect_error(guest, BAD_STREAM)
    assert guest.read_memory(BASE + MEMORY - 1, len(UNTOUCHED)) == UNTOUCHED


def with_word(stream: int, change: Callable[[int], int]) -> bytes:
    """What is packed, with another word of a stream."""
    at = 0
    for _ in range(stream):
        empty = not int.from_bytes(GOOD[at : at + 3], "little")
        at += 4
        if not empty:
            at += len(stored_bytes(at))
    word = change(int.from_bytes(GOOD[at : at + 4], "little"))
    return GOOD[:at] + word.to_bytes(4, "little") + GOOD[at + 4 :]


def stored_bytes(at: int) -> bytes:
    """The bytes of the stream whose word ends here."""
    for end in range(at, len(GOOD) + 1):
        try:
            stored_streams(GOOD[at - 4 : end] + bytes(4 * DATA))
        except (AssertionError, EOFError, ValueError):
            continue
        return GOOD[at:end]
    raise AssertionError("there is no such stream")


DAMAGED = {
    "empty": b"",
    "half a word": GOOD[:2],
    "a word": GOOD[:4],
    "cut": GOOD[:-1],
    "longer": GOOD + b"\0",
    "an opcode less": with_word(OPCODES, lambda word: word - RECORD[IS_64_BIT]),
    "an opcode more": with_word(OPCODES, lambda word: word + 1),
    "properties that there are not": with_word(OPCODES, lambda word: word & 0xFFFFFF | 225 << 24),
    "all sizes are 0": bytes(4 * (DATA + 1)),
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged(boot: Boot, tmp_path: Path, damaged: bytes) -> None:
    """The CRC is right, so only unpacking can tell."""
    code = kernel_of_frame(damaged, flags=STREAMS, image_size=SIZE, memory_size=MEMORY)
    guest = boot(disk_with(tmp_path, code), memory=64, extra=behind(tmp_path, BASE + MEMORY))
    expect_error(guest, BAD_STREAM)
    assert guest.read_memory(BASE + MEMORY, len(UNTOUCHED)) == UNTOUCHED


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"image_size": SIZE - 1}, BAD_STREAM),
        ({"image_size": SIZE + 1}, BAD_STREAM),
        ({"image_size": MEMORY}, BAD_STREAM),
        ({"image_size": MEMORY + 1}, BAD_ADDRESSES),
        ({"memory_size": HEADER_SIZE + len(GOOD), "image_size": 200}, BAD_ADDRESSES),
        ({"flags": ZSTD_AND_STREAMS}, BAD_STREAM),
        ({"flags": 1}, BAD_STREAM),
        ({"flags": 0}, BAD_ADDRESSES),
        ({"crc32": 1}, BAD_CRC),
    ],
)
def test_header(boot: Boot, tmp_path: Path, header: dict[str, int], message: str) -> None:
    fields = {"flags": STREAMS, "image_size": SIZE, "memory_size": MEMORY, **header}
    expect_error(boot(disk_with(tmp_path, kernel_of_frame(GOOD, **fields))), message)


@pytest.mark.parametrize("seed", range(6))
def test_mutated(boot: Boot, tmp_path: Path, seed: int) -> None:
    """With a right CRC: the kernel runs on exactly what Python's lzma makes of it, or nothing runs."""
    generator, mutated = random.Random(seed), bytearray(GOOD)
    for _ in range(generator.choice([1, 1, 2, 5])):
        mutated[generator.randrange(len(mutated))] ^= 1 << generator.randrange(8)
    code = kernel_of_frame(bytes(mutated), "-DSTAY", flags=STREAMS, image_size=SIZE, memory_size=MEMORY)
    guest = boot(disk_with(tmp_path, code), extra=behind(tmp_path, BASE + MEMORY))
    guest.expect(f"({re.escape(BAD_STREAM)}|kernel runs)")
    if "kernel runs" in guest.serial:
        image = guest.read_memory(BASE + HEADER_SIZE, len(IMAGE))
        assert image == merged(stored_streams(bytes(mutated)), is_64_bit=True)
    assert guest.read_memory(BASE + MEMORY, len(UNTOUCHED)) == UNTOUCHED
