"""Files in two generations: footers laid out by hand after kernel_lib/storage/generations.c."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from bareflow.disk.fat_image import build_image
from bareflow.disk.generations import newest, read_generation, sibling, unwritten

STAGE1 = bytes(510) + b"\x55\xaa"
PATH = "/profile/JIT.PRF"


def generation(contents: bytes, sequence: int, room: int = 2048) -> bytes:
    head = b"BFGENER1" + struct.pack("<QQI", sequence, 77, len(contents))
    crc = zlib.crc32(contents + head)
    return contents.ljust(room - 32, b"\0") + head + struct.pack("<I", crc)


def damaged(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_the_newest_that_is_whole() -> None:
    one, two = generation(b"one", 1), generation(b"two", 2)
    assert newest([one, two]) == newest([two, one]) == b"two"
    for at in (0, len(two) - 20, len(two) - 1):
        assert newest([one, damaged(two, at)]) == b"one"
    assert newest([damaged(one, 0), damaged(two, 0)]) == b""
    assert newest([generation(b"x" * 3000, 3)[:-100] + two[-32:]]) == b""


def test_by_hand() -> None:
    """A file without a footer counts where no other does."""
    assert newest([b"a list\n"]) == b"a list\n"
    assert newest([b"a list\n", generation(b"one", 1)]) == b"one"


def test_out_of_an_image(tmp_path: Path) -> None:
    assert sibling(PATH) == "/profile/JIT.PR~"
    files = {PATH: generation(b"one", 1), sibling(PATH): generation(b"two", 2)}
    image = tmp_path / "disk.img"
    build_image(image, STAGE1, bytes(4096), files)
    assert read_generation(image, PATH) == b"two"
    build_image(image, STAGE1, bytes(4096), {"/profile/": b""})
    assert read_generation(image, PATH) == b""


@pytest.mark.parametrize("room", [1, 512, 100_000])
def test_unwritten(room: int) -> None:
    data = unwritten(room)
    assert len(data) % 512 == 0 and room + 512 <= len(data) < room + 1024
    assert newest([data]) == b""
