"""The kernel file: flat image, header, build id and CRC."""

from __future__ import annotations

import binascii
import hashlib
import struct
from pathlib import Path

import pytest
from bareflow.kernel.kernel_file import KernelFileError, kernel_from_elf, lengthened, parse_header
from elf_tools import link

KERNEL = """
extern end
extern file_end
section .header progbits alloc exec
    dd {signature}
    dw 4, 72
    dd 0, 0
    dq file_end - 0x100000, end - 0x100000, 0x100000, start
    times 16 db 0
    dq file_end - 0x100000
section .text
global start
start: hlt
section .data
    db "data"
section .bss
    resb 10000
"""


def test_file_and_header(tmp_path: Path) -> None:
    kernel = kernel_from_elf(link(tmp_path, KERNEL.format(signature="0x464C5544")).read_bytes())
    assert kernel[:4] == b"DULF"
    assert len(kernel) == 4096 + 4 and kernel[4096:] == b"data"
    fields = struct.unpack_from("<IHHIIQQQQ16sQ", kernel)
    assert fields[1:4] == (4, 72, 0)
    assert fields[5:9] == (4100, 4100 + 10000, 0x100000, 0x100050)
    assert fields[10] == 4100
    assert kernel[80] == 0xF4  # hlt
    without_crc = kernel[:12] + bytes(4) + kernel[16:]
    assert fields[4] == binascii.crc32(without_crc)
    without_both = without_crc[:48] + bytes(16) + without_crc[64:]
    assert fields[9] == hashlib.sha256(without_both).digest()[:16]


def test_wrong_signature(tmp_path: Path) -> None:
    elf = link(tmp_path, KERNEL.format(signature="0x12345678")).read_bytes()
    with pytest.raises(KernelFileError, match="signature 0x12345678 instead of 0x464c5544"):
        kernel_from_elf(elf)


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (4, b"\x01\x00", "header version 1, 72 bytes, is not known"),
        (6, b"\x40\x00", "header version 4, 64 bytes, is not known"),
        (8, b"\x08", "flags 0x8 are not known"),
        (8, b"\x05", "flags 0x5 are not known"),
        (8, struct.pack("<IIQQ", 1, 0, 4100, 4131), "memory size 4131 leaves no room to unpack"),
        (16, b"\x00", "the header says 4096 bytes, the file has 4100"),
        (24, bytes(8), "memory size 0 is less than the image's 4100"),
        (40, b"\x00\x00\x00", "the entry 0x0 lies outside of the image"),
        (40, b"\x47", "the entry 0x100047 lies outside of the image"),
        (64, b"\x05", "not compressed, but 4100 bytes for 4101"),
    ],
)
def test_damaged_header(tmp_path: Path, offset: int, value: bytes, message: str) -> None:
    kernel = kernel_from_elf(link(tmp_path, KERNEL.format(signature="0x464C5544")).read_bytes())
    with pytest.raises(KernelFileError, match=message):
        parse_header(kernel[:offset] + value + kernel[offset + len(value) :])


def test_lengthened(tmp_path: Path) -> None:
    kernel = kernel_from_elf(link(tmp_path, KERNEL.format(signature="0x464C5544")).read_bytes())
    longer = lengthened(kernel, 10_000)
    header = parse_header(longer)
    assert len(longer) == header.file_size == header.image_size == 10_000
    assert header.memory_size >= 10_000
    assert longer[72:] == kernel[72:].ljust(10_000 - 72, b"\0")
    blank = longer[:12] + bytes(4) + longer[16:]  # boot/kernel_header.h: where the CRC is
    assert binascii.crc32(blank) == header.crc32


def test_truncated_header() -> None:
    with pytest.raises(KernelFileError, match="71 bytes are too few"):
        parse_header(bytes(71))
