"""The record about the boot slots on a disk, as boot/boot_slots.h describes it."""

from __future__ import annotations

import struct

from disk_tools import DiskImage

RECORD = 40 * 512  # offset of the record in the image
SIZE = 36
NONE = 0xFF
NAMES = b"BAREFLOWKRN\0" + b"FALLBACKKRN\0"


def state(slot: int, attempts: int, requested: int = NONE, version: int = 2, names: bytes = NAMES) -> bytes:
    """The record as boot/boot_slots.h describes it."""
    fields = bytes([version, slot, attempts, requested]) + names
    total = sum(struct.unpack("<7I", fields)) & 0xFFFFFFFF
    return b"SLOT" + fields + struct.pack("<I", total ^ 0xFFFFFFFF)


def record(disk: DiskImage) -> bytes:
    return disk.path.read_bytes()[RECORD : RECORD + SIZE]
