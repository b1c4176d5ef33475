"""stage2 and compressed kernels: unpacked exactly, or refused without a byte written outside their memory."""

from __future__ import annotations

import hashlib
import random
import re
from pathlib import Path

import pytest
from bareflow.kernel_file import compress, parse_header, seal
from bareflow.qemu import Guest
from fixture_types import Boot
from loader_disk import HEADER_SIZE, KERNEL, LoaderDisk, compressed_kernel, kernel, kernel_of_stream
from lz4_reference import DamagedStreamError, random_stream, sequence, unpack

MIB = 1 << 20
BASE = 0x100000
MARGIN = 16
PREFIX = "error: /boot/BAREFLOW.KRN "
SUFFIX = "; copy a good kernel there"
BAD_STREAM = f"{PREFIX}is corrupt (does not unpack to its size){SUFFIX}"
BAD_ADDRESSES = f"{PREFIX}has a header with impossible addresses or sizes{SUFFIX}"
TRUNCATED = f"{PREFIX}is truncated: its size is not what its header says{SUFFIX}"
BAD_CRC = f"{PREFIX}is corrupt (wrong CRC-32){SUFFIX}"

CODE = kernel(b"", "-DSTAY")[HEADER_SIZE:]  # what every stream here begins with


def noise(size: int) -> bytes:
    return hashlib.shake_128(b"noise").digest(size)


UNTOUCHED = noise(64 << 10)  # what the tests put behind the kernel's memory


def disk_with(tmp_path: Path, code: bytes) -> LoaderDisk:
    return LoaderDisk.create(tmp_path / "disk.img", {KERNEL: code})


def expect_image(guest: Guest, code: bytes, image: bytes) -> None:
    """The kernel runs, its memory is this header and image, and what is behind its memory is unchanged."""
    guest.expect("^kernel runs$")
    header = parse_header(code)
    assert guest.read_memory(BASE, HEADER_SIZE) == code[:HEADER_SIZE]
    assert guest.read_memory(BASE + HEADER_SIZE, len(image)) == image
    assert guest.read_memory(BASE + header.memory_size, len(UNTOUCHED)) == UNTOUCHED


def behind(tmp_path: Path, address: int) -> list[str]:
    """QEMU's options for memory that holds UNTOUCHED at this address from the start."""
    file = tmp_path / "behind"
    file.write_bytes(UNTOUCHED)
    return ["-device", f"loader,file={file},addr={address:#x},force-raw=on"]


def expect_error(guest: Guest, message: str) -> None:
    guest.expect(f"^{re.escape(message)}\n")
    assert guest.serial.endswith(f"{message}\n")


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
    code = seal(compress(kernel(payload, "-DSTAY", bss=1000)))
    extra = behind(tmp_path, BASE + parse_header(code).memory_size)
    expect_image(boot(disk_with(tmp_path, code), extra=extra), code, CODE + payload)


@pytest.mark.parametrize("seed", range(6))
def test_streams_of_all_kinds(boot: Boot, tmp_path: Path, seed: int) -> None:
    """With just the memory that it takes; with one byte less it is refused."""
    stream = sequence(CODE[:-20], 1, 20) + random_stream(seed, 100_000)
    image = unpack(stream)
    size = HEADER_SIZE + len(image.data)
    memory = max(size, HEADER_SIZE + len(stream) + image.lead + 2 * MARGIN)
    code = kernel_of_stream(stream, "-DSTAY", image_size=size, memory_size=memory)
    guest = boot(disk_with(tmp_path, code), extra=behind(tmp_path, BASE + memory))
    expect_image(guest, code, image.data)
    if memory > size:
        code = kernel_of_stream(stream, "-DSTAY", image_size=size, memory_size=memory - 1)
        expect_error(boot(disk_with(tmp_path, code)), BAD_STREAM)


@pytest.mark.parametrize("drive", ["ide", "virtio-blk", "floppy"])
def test_every_way_to_read(boot: Boot, tmp_path: Path, drive: str) -> None:
    payload = Path(__file__).read_bytes() * 30 + noise(100_000)
    code = seal(compress(kernel(payload, bss=100_000)))
    disk = disk_with(tmp_path, code)
    disk.reverse(KERNEL, b"BAREFLOWKRN")
    guest = boot(disk, drive=drive)
    assert guest.wait_exit() == 0, guest.serial
    assert guest.serial == "kernel runs\n"


@pytest.mark.parametrize(("memory", "size"), [(2, 700_000), (3, 1_700_000)])
def test_little_memory(boot: Boot, tmp_path: Path, memory: int, size: int) -> None:
    """Unpacking takes no memory but the kernel's own."""
    payload = noise(size // 2) + bytes(size // 2)
    code = seal(compress(kernel(payload, "-DSTAY")))
    guest = boot(disk_with(tmp_path, code), memory=memory)
    guest.expect("^kernel runs$")
    assert guest.read_memory(BASE + HEADER_SIZE, size + len(CODE)) == CODE + payload


def test_dots_for_a_file_across_a_mib_boundary(boot: Boot, tmp_path: Path) -> None:
    """The file is 2.5 MiB long and lies, before it is unpacked, where 8 MiB of memory end."""
    code = seal(compress(kernel(noise(5 * MIB // 2), bss=8 * MIB - 5 * MIB // 2 - 4096)))
    guest = boot(disk_with(tmp_path, code))
    assert guest.wait_exit() == 0, guest.serial
    assert guest.serial == "..\nkernel runs\n"


def test_compressed_kernel_of_60_mb_is_fast(boot: Boot, tmp_path: Path) -> None:
    block = noise(1000)
    payload = b"".join(block[: 400 + i % 600] + i.to_bytes(4, "little") for i in range(90_000))[:60_000_000]
    code = compressed_kernel(payload)
    assert len(code) < 10_000_000
    guest = boot(disk_with(tmp_path, code), memory=128)
    guest.expect("^kernel runs$", timeout=20)
    assert guest.wait_exit() == 0


FILLER = noise(20_000)
GOOD = sequence(CODE + FILLER, 5000, 300) + sequence(b"The end.")
DAMAGED_STREAMS = {
    "empty": b"",
    "a token for literals that are not there": GOOD[:1],
    "cut in the literals": GOOD[:-1],
    "without the last sequence": GOOD[:-9],
    "cut between an offset's bytes": sequence(CODE, 5000, 4)[:-1],
    "longer": GOOD + b"\0",
    "offset 0": sequence(CODE + FILLER, 0, 300) + sequence(b"The end."),
    "offset before the image": sequence(CODE + FILLER, HEADER_SIZE + len(CODE + FILLER) + 1, 300)
    + sequence(b"The end."),
    "literals beyond the file": b"\xff" * 200 + b"\0" + CODE,
    "10 MB of literals in a file of 40 KB": b"\xf0" + b"\xff" * 40_000 + b"\0" + CODE,
    "a length without end": b"\xff" * 5000,
    "a match's length without end": sequence(CODE, 4, 19)[:-1] + b"\xff" * 5000,
    "a match over the whole memory": sequence(CODE, 1, 100 * MIB) + sequence(b"The end."),
    "a match over what is still to be read": sequence(CODE, 1, 500_000) + sequence(FILLER),
    "a match with a length that wraps to 0": sequence(CODE + FILLER, 5000, 300)
    + sequence(b"", 1, 2**32)
    + sequence(b"The end"),
    "a match with a length that wraps to 1000": sequence(CODE, 1, 2**32 + 1000) + sequence(b"The end."),
}


@pytest.mark.parametrize("stream", DAMAGED_STREAMS.values(), ids=DAMAGED_STREAMS.keys())
def test_damaged_stream(boot: Boot, tmp_path: Path, stream: bytes) -> None:
    """The CRC is right, so only unpacking can tell. Nothing behind the kernel's memory is written."""
    memory = max(400_000, len(stream) + 1000)
    size = HEADER_SIZE + len(unpack(GOOD).data)
    code = kernel_of_stream(stream, image_size=size, memory_size=memory)
    guest = boot(disk_with(tmp_path, code), memory=64, extra=behind(tmp_path, BASE + memory))
    expect_error(guest, BAD_STREAM)
    assert guest.read_memory(BASE + memory, len(UNTOUCHED)) == UNTOUCHED


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({}, None),
        ({"image_size": HEADER_SIZE + len(unpack(GOOD).data) - 1}, BAD_STREAM),
        ({"image_size": HEADER_SIZE + len(unpack(GOOD).data) + 1}, BAD_STREAM),
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
    size = HEADER_SIZE + len(unpack(GOOD).data)
    code = kernel_of_stream(GOOD, **{"image_size": size, "memory_size": 400_000, **header})
    guest = boot(disk_with(tmp_path, code))
    if message is None:
        guest.expect("^kernel runs$")
    else:
        expect_error(guest, message)


def test_flipped_bit_in_a_compressed_kernel(boot: Boot, tmp_path: Path) -> None:
    code = bytearray(compressed_kernel(PAYLOADS["text"]))
    code[len(code) // 2] ^= 1
    expect_error(boot(disk_with(tmp_path, bytes(code))), BAD_CRC)


@pytest.mark.parametrize("seed", range(16))
def test_mutated_stream(boot: Boot, tmp_path: Path, seed: int) -> None:
    """With a right CRC: the kernel runs on exactly what the reference makes of it, or nothing runs."""
    generator = random.Random(seed)
    stream = bytearray(random_stream(seed, 50_000))
    for _ in range(generator.choice([1, 1, 2, 5])):
        value = generator.choice([0, 15, 240, 255, generator.randrange(256)])
        stream[generator.randrange(len(stream))] = value
    stream = bytearray(sequence(CODE[:-20], 1, 20)) + stream
    size = HEADER_SIZE + len(unpack(sequence(CODE[:-20], 1, 20) + random_stream(seed, 50_000)).data)
    code = kernel_of_stream(bytes(stream), "-DSTAY", image_size=size, memory_size=MIB)
    try:
        image = unpack(bytes(stream), bytes(HEADER_SIZE), limit=MIB).data
    except DamagedStreamError:
        image = b""
    guest = boot(disk_with(tmp_path, code), extra=behind(tmp_path, BASE + MIB))
    if len(image) == size - HEADER_SIZE:
        expect_image(guest, code, image)
    else:
        expect_error(guest, BAD_STREAM)
        assert guest.read_memory(BASE + MIB, len(UNTOUCHED)) == UNTOUCHED
