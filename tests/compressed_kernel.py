"""Booting compressed kernels of the loader's tests, and what is expected of them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from bareflow.kernel.kernel_file import parse_header
from bareflow.qemu.guest import Guest
from loader_disk import HEADER_SIZE, KERNEL, LoaderDisk, kernel

BASE = 0x100000
PREFIX = "error: /boot/BAREFLOW.KRN "
SUFFIX = "; copy a good kernel there"
BAD_STREAM = f"{PREFIX}is corrupt (does not unpack to its size){SUFFIX}"
BAD_ADDRESSES = f"{PREFIX}has a header with impossible addresses or sizes{SUFFIX}"
TRUNCATED = f"{PREFIX}is truncated: its size is not what its header says{SUFFIX}"
BAD_CRC = f"{PREFIX}is corrupt (wrong CRC-32){SUFFIX}"

CODE = kernel(b"", "-DSTAY")[HEADER_SIZE:]  # what every image here begins with


def noise(size: int) -> bytes:
    """Incompressible, but without the opcodes of branches: it is packed as it is."""
    return hashlib.shake_128(b"noise").digest(size).replace(b"\xe8", b"\0").replace(b"\xe9", b"\1")


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
