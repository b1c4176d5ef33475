"""The record about the boot slots of a disk with two kernels: boot/boot_slots.h explains it."""

import struct
from dataclasses import dataclass

NEWEST, FALLBACK, NONE = 0, 1, 0xFF
"""Slots, and none."""
KERNELS = ("/boot/BAREFLOW.KRN", "/boot/FALLBACK.KRN")
"""Their files."""
ATTEMPTS = 3
LBA = 21
MAGIC = 0x544F4C53
VERSION = 1
FORMAT = "<IBBBBI"


@dataclass(frozen=True)
class BootSlots:
    """Which slot to boot, how many boots it has left, and which to boot next instead, once."""

    slot: int = NEWEST
    attempts: int = ATTEMPTS
    requested: int = NONE

    def encode(self) -> bytes:
        """The record, which begins its sector."""
        state = bytes([VERSION, self.slot, self.attempts, self.requested])
        check = int.from_bytes(state, "little") ^ 0xFFFFFFFF
        return struct.pack(FORMAT, MAGIC, *state, check)


def decode(sector: bytes) -> BootSlots | None:
    """The record in a sector; None when there is none, or a damaged one."""
    _, _, slot, attempts, requested, _ = struct.unpack_from(FORMAT, sector)
    record = BootSlots(slot, attempts, requested)
    return record if slot in (NEWEST, FALLBACK) and sector.startswith(record.encode()) else None
