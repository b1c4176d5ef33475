"""The record about the boot slots of a disk with two kernels: boot/boot_slots.h explains it."""

from dataclasses import dataclass

from bareflow.layouts import read_header

_HEADER = read_header("boot/boot_slots.h")
_RECORD = _HEADER.structures["boot_slots"]
NEWEST, FALLBACK = _HEADER["BOOT_SLOT_NEWEST"], _HEADER["BOOT_SLOT_FALLBACK"]
"""Slots."""
NONE = _HEADER["BOOT_SLOT_NONE"]
"""No slot."""
KERNELS = ("/boot/BAREFLOW.KRN", "/boot/FALLBACK.KRN")
"""Their files."""
ATTEMPTS = _HEADER["BOOT_SLOT_ATTEMPTS"]
LBA = _HEADER["BOOT_SLOTS_LBA"]


@dataclass(frozen=True)
class BootSlots:
    """Which slot to boot, how many boots it has left, and which to boot next instead, once."""

    slot: int = NEWEST
    attempts: int = ATTEMPTS
    requested: int = NONE

    def encode(self) -> bytes:
        """The record, which begins its sector."""
        fields = {
            "magic": _HEADER["BOOT_SLOTS_MAGIC"],
            "version": _HEADER["BOOT_SLOTS_VERSION"],
            "slot": self.slot,
            "attempts": self.attempts,
            "requested": self.requested,
        }
        checked = _RECORD.pack(**fields, check=0)[_RECORD["version"].offset : _RECORD["check"].offset]
        return _RECORD.pack(**fields, check=int.from_bytes(checked, "little") ^ 0xFFFFFFFF)


def decode(sector: bytes) -> BootSlots | None:
    """The record in a sector; None when there is none, or a damaged one."""
    fields = _RECORD.unpack(sector)
    record = BootSlots(fields["slot"], fields["attempts"], fields["requested"])
    return record if record.slot in (NEWEST, FALLBACK) and sector.startswith(record.encode()) else None
