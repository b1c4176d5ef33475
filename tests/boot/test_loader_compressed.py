"""stage2 and compressed kernels: unpacked exactly, or refused without a byte written outside their memory."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
import zstandard
from bareflow.kernel.kernel_file import branches_to_addresses, compress, parse_header, seal
from compressed_kernel import (
    BAD_ADDRESSES,
    BAD_CRC,
    BAD_STREAM,
    BASE,
    CODE,
    TRUNCATED,
    UNTOUCHED,
    behind,
    disk_with,
    expect_error,
    expect_image,
    noise,
)
from fixture_types import Boot
from loader_disk import HEADER_SIZE, KERNEL, kernel, kernel_of_frame
from zstd_frames import MARGIN, Block, frame, raw, rle, room, start

MIB = 1 << 20

PAYLOADS = {
    "nothing": b"",
    "one byte": b"x",
    "zeros": bytes(300_000),
    "noise": noise(300_000),
    "zeros, then noise": bytes(200_000) + noise(100_000),
    "noise, then zeros": noise(100_000) + bytes(200_000),
    "text": Path(__file__).read_bytes() * 40,
    "every short period": b"".join((noise(period) * 60)[: 200 + period] for period in range(1, 70)),
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_unpacked_exactly(boot: Boot, tmp_path: Path, payload: bytes) -> None:
    code = seal(compress(kernel(payload, "-DSTAY", bss=1000), 19))
    extra = behind(tmp_path, BASE + parse_header(code).memory_size)
    expect_image(boot(disk_with(tmp_path, code), extra=extra), code, CODE + payload)


def blocks_of(image: bytes, *sizes: int) -> list[Block]:
    """An image without its header in blocks of these sizes and one of the rest: RLE where that can be."""
    packed, blocks = branches_to_addresses(image), []
    for size in (*sizes, len(image) - sum(sizes)):
        content, packed = packed[:size], packed[size:]
        blocks.append(rle(content[0], size) if len({*content}) == 1 else raw(content))
    return blocks


@pytest.mark.parametrize(
    ("rest", "sizes"),
    [
        (b"", []),
        (b"", [1, 2, 3, 0, 50]),
        (noise(100_000), [100, 60_000]),
        (bytes(200_000), [len(CODE)]),
        (bytes(200_000) + noise(70_000), [len(CODE), 200_000]),
        (noise(70_000) + bytes(100_000) + b"x", [len(CODE), 0, 70_000, 100_000]),
    ],
    ids=["one", "small", "raw", "rle", "rle, raw", "raw, rle"],
)
def test_no_more_memory_than_it_takes(boot: Boot, tmp_path: Path, rest: bytes, sizes: list[int]) -> None:
    """With one byte less it is refused."""
    image = CODE + rest
    blocks = blocks_of(image, *sizes)
    size = HEADER_SIZE + len(image)
    memory = max(size, room(HEADER_SIZE, *blocks))
    code = kernel_of_frame(frame(*blocks), "-DSTAY", image_size=size, memory_size=memory)
    guest = boot(disk_with(tmp_path, code), extra=behind(tmp_path, BASE + memory))
    expect_image(guest, code, image)
    if memory > size:
        code = kernel_of_frame(frame(*blocks), "-DSTAY", image_size=size, memory_size=memory - 1)
        guest = boot(disk_with(tmp_path, code))
        guest.expect(f"^({re.escape(BAD_STREAM)}|{re.escape(BAD_ADDRESSES)})$")


@pytest.mark.parametrize("drive", ["ide", "virtio-blk", "nvme-4096", "floppy"])
def test_every_way_to_read(boot: Boot, tmp_path: Path, drive: str) -> None:
    payload = Path(__file__).read_bytes() * 30 + noise(100_000)
    code = seal(compress(kernel(payload, bss=100_000), 19))
    disk = disk_with(tmp_path, code)
    disk.reverse(KERNEL, b"BAREFLOWKRN")
    guest = boot(disk, drive=drive)
    assert guest.wait_exit() == 0, guest.serial
    assert guest.serial == "kernel runs\n"


@pytest.mark.parametrize(("memory", "size"), [(2, 700_000), (3, 1_700_000)])
def test_little_memory(boot: Boot, tmp_path: Path, memory: int, size: int) -> None:
    """Unpacking takes no memory but the kernel's own."""
    payload = noise(size // 2) + bytes(size // 2)
    code = seal(compress(kernel(payload, "-DSTAY"), 19))
    guest = boot(disk_with(tmp_path, code), memory=memory)
    guest.expect("^kernel runs$")
    assert guest.read_memory(BASE + HEADER_SIZE, size + len(CODE)) == CODE + payload


def test_dots_for_a_file_across_a_mib_boundary(boot: Boot, tmp_path: Path) -> None:
    """The file is 2.5 MiB long and lies, before it is unpacked, where 8 MiB of memory end."""
    code = seal(compress(kernel(noise(5 * MIB // 2), bss=8 * MIB - 5 * MIB // 2 - 4096), 19))
    guest = boot(disk_with(tmp_path, code))
    assert guest.wait_exit() == 0, guest.serial
    assert guest.serial == "..\nkernel runs\n"


def test_compressed_kernel_of_60_mb_is_fast(boot: Boot, tmp_path: Path) -> None:
    block = noise(1000)
    payload = b"".join(block[: 400 + i % 600] + i.to_bytes(4, "little") for i in range(90_000))[:60_000_000]
    code = seal(compress(kernel(payload), 3))
    assert len(code) < 10_000_000
    guest = boot(disk_with(tmp_path, code), memory=128)
    guest.expect("^kernel runs$", timeout=20)
    assert guest.wait_exit() == 0


FILLER = noise(20_000)
GOOD_IMAGE = CODE + FILLER + bytes(300) + b"The end."
GOOD_BLOCKS = tuple(blocks_of(GOOD_IMAGE, len(CODE), len(FILLER), 300))
GOOD_SIZE = HEADER_SIZE + len(GOOD_IMAGE)
GOOD = frame(*GOOD_BLOCKS)
TEXT = Path(__file__).read_bytes()
TEXT_FRAME = zstandard.compress(branches_to_addresses(CODE + TEXT)[len(CODE) :], 19)
TEXT_BLOCKS = TEXT_FRAME[zstandard.frame_header_size(TEXT_FRAME) :]
DAMAGED_FRAMES = {
    "empty": b"",
    "no magic number": b"\0" + GOOD[1:],
    "a magic number and nothing else": GOOD[:4],
    "no block": start(GOOD_BLOCKS),
    "cut in the last block": GOOD[:-1],
    "without the last block": GOOD[:-11],
    "cut in a block's header": GOOD[:-9],
    "longer": GOOD + b"\0",
    "a block of a kind that there is not": GOOD[:9] + bytes([GOOD[9] | 6]) + GOOD[10:],
    "a block beyond the file": start(GOOD_BLOCKS) + b"\xfd\xff\xff" + CODE,
    "a block over the whole memory": frame(*GOOD_BLOCKS[:1], rle(0, (1 << 21) - 1)),
    "blocks over what is still to be read": frame(*GOOD_BLOCKS[:1], *[rle(0, 100_000)] * 4, *GOOD_BLOCKS[1:]),
    "a compressed block of noise": frame(*GOOD_BLOCKS[:1], Block(b"\x04\x71\x02" + FILLER, b"")),
    "a byte less": frame(*GOOD_BLOCKS[:2], rle(0, 299), *GOOD_BLOCKS[3:]),
    "a byte more": frame(*GOOD_BLOCKS[:2], rle(0, 301), *GOOD_BLOCKS[3:]),
}


@pytest.mark.parametrize("damaged", DAMAGED_FRAMES.values(), ids=DAMAGED_FRAMES.keys())
def test_damaged_frame(boot: Boot, tmp_path: Path, damaged: bytes) -> None:
    """The CRC is right, so only unpacking can tell. Nothing behind the kernel's memory is written."""
    memory = 400_000
    code = kernel_of_frame(damaged, image_size=GOOD_SIZE, memory_size=memory)
    guest = boot(disk_with(tmp_path, code), memory=64, extra=behind(tmp_path, BASE + memory))
    expect_error(guest, BAD_STREAM)
    assert guest.read_memory(BASE + memory, len(UNTOUCHED)) == UNTOUCHED


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({}, None),
        ({"image_size": GOOD_SIZE - 1}, BAD_STREAM),
        ({"image_size": GOOD_SIZE + 1}, BAD_STREAM),
        ({"image_size": 1 << 40}, BAD_ADDRESSES),
        ({"image_size": HEADER_SIZE}, BAD_ADDRESSES),
        ({"image_size": 400_001}, BAD_ADDRESSES),
        ({"memory_size": HEADER_SIZE + len(GOOD)}, BAD_ADDRESSES),
        ({"memory_size": HEADER_SIZE + len(GOOD) + 2 * MARGIN - 1, "image_size": 200}, BAD_ADDRESSES),
        ({"memory_size": 0, "image_size": 0}, BAD_ADDRESSES),
        ({"memory_size": 15, "image_size": 10}, BAD_ADDRESSES),
        ({"memory_size": 0xFFF00000}, BAD_ADDRESSES),
        ({"file_size": HEADER_SIZE + len(GOOD) - 1}, TRUNCATED),
        ({"file_size": HEADER_SIZE + len(GOOD) + 1}, TRUNCATED),
        ({"flags": 0}, BAD_ADDRESSES),
        ({"flags": 0, "image_size": HEADER_SIZE + len(GOOD), "crc32": 1}, BAD_CRC),
        ({"crc32": 1}, BAD_CRC),
    ],
)
def test_header_of_a_compressed_kernel(
    boot: Boot, tmp_path: Path, header: dict[str, int], message: str | None
) -> None:
    code = kernel_of_frame(GOOD, **{"image_size": GOOD_SIZE, "memory_size": 400_000, **header})
    guest = boot(disk_with(tmp_path, code))
    if message is None:
        guest.expect("^kernel runs$")
    else:
        expect_error(guest, message)


def test_flipped_bit_in_a_compressed_kernel(boot: Boot, tmp_path: Path) -> None:
    code = bytearray(seal(compress(kernel(PAYLOADS["text"]), 3)))
    code[len(code) // 2] ^= 1
    expect_error(boot(disk_with(tmp_path, bytes(code))), BAD_CRC)


@pytest.mark.parametrize("seed", range(12))
def test_mutated_frame(boot: Boot, tmp_path: Path, seed: int) -> None:
    """With a right CRC: the kernel runs on exactly what the library makes of it, or nothing runs."""
    generator, mutated = random.Random(seed), bytearray(TEXT_BLOCKS)
    for _ in range(generator.choice([1, 1, 2, 5])):
        mutated[generator.randrange(len(mutated))] ^= 1 << generator.randrange(8)
    code_block = raw(branches_to_addresses(CODE + TEXT)[: len(CODE)])
    damaged = start((code_block, Block(bytes(mutated), TEXT))) + code_block.stored + mutated
    size = HEADER_SIZE + len(CODE + TEXT)
    code = kernel_of_frame(damaged, "-DSTAY", image_size=size, memory_size=MIB)
    guest = boot(disk_with(tmp_path, code), extra=behind(tmp_path, BASE + MIB))
    guest.expect(f"^(kernel runs|{re.escape(BAD_STREAM)})$")
    if guest.serial == "kernel runs\n":
        image = guest.read_memory(BASE + HEADER_SIZE, len(CODE + TEXT))
        assert branches_to_addresses(image) == zstandard.decompress(damaged)
    assert guest.read_memory(BASE + MIB, len(UNTOUCHED)) == UNTOUCHED
