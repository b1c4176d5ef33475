"""The record about the boot slots of a disk with two kernels: boot/boot_slots.h explains it."""

import struct
from dataclasses import dataclass

from bareflow.layouts import read_header

_HEADER = read_header("boot/boot_slots.h")
_RECORD = _HEADER.structures["boot_slots"]
_KERNEL = _HEADER.structures["slot_kernel"]
_FOLDERS = {
    "/boot": _HEADER["BOOT_FOLDER_BOOT"],
    "/boot/snapshots": _HEADER["BOOT_FOLDER_SNAPSHOTS"],
}
NEWEST, FALLBACK = _HEADER["BOOT_SLOT_NEWEST"], _HEADER["BOOT_SLOT_FALLBACK"]
"""Slots."""
ROOT = _HEADER["BOOT_SLOT_ROOT"]
"""The kernel /boot/BAREFLOW.KRN, for the case that both slots hold snapshots."""
NONE = _HEADER["BOOT_SLOT_NONE"]
"""No slot."""
KERNELS = ("/boot/BAREFLOW.KRN", "/boot/FALLBACK.KRN")
"""The slots' files on an image that has just been made."""
ATTEMPTS = _HEADER["BOOT_SLOT_ATTEMPTS"]
LBA = _HEADER["BOOT_SLOTS_LBA"]


@dataclass(frozen=True)
class BootSlots:
    """Which slot to boot, how many boots it has left, which to boot next instead, once; the slots' files."""

    slot: int = NEWEST
    attempts: int = ATTEMPTS
    requested: int = NONE
    kernels: tuple[str, str] = KERNELS

    def encode(self) -> bytes:
        """The record, which begins its sector."""
        fields = {
            "magic": _HEADER["BOOT_SLOTS_MAGIC"],
            "version": _HEADER["BOOT_SLOTS_VERSION"],
            "slot": self.slot,
            "attempts": self.attempts,
            "requested": self.requested,
            "kernel": b"".join(map(_encode_path, self.kernels)),
        }
        unchecked = _RECORD.pack(**fields, check=0)
        checked = unchecked[_RECORD["version"].offset : _RECORD["check"].offset]
        total = sum(word for (word,) in struct.iter_unpack("<I", checked))
        return _RECORD.pack(**fields, check=~total & 0xFFFFFFFF)


def _encode_path(path: str) -> bytes:
    folder, _, file = path.rpartition("/")
    stem, _, extension = file.partition(".")
    return _KERNEL.pack(name=f"{stem:8}{extension:3}".encode(), folder=_FOLDERS[folder])


def _decode_path(data: bytes) -> str:
    """ValueError when there is no such folder."""
    kernel = _KERNEL.unpack(data)
    folder = next((name for name, number in _FOLDERS.items() if number == kernel["folder"]), None)
    if folder is None:
        raise ValueError
    name = kernel["name"].decode("latin-1")
    return f"{folder}/{name[:8].rstrip()}.{name[8:].rstrip()}"


def decode(sector: bytes) -> BootSlots | None:
    """The record in a sector; None when there is none, or a damaged one."""
    fields = _RECORD.unpack(sector)
    names = fields["kernel"]
    try:
        kernels = (_decode_path(names), _decode_path(names[_KERNEL.size :]))
    except ValueError:
        return None
    record = BootSlots(fields["slot"], fields["attempts"], fields["requested"], kernels)
    return record if record.slot in (NEWEST, FALLBACK) and sector.startswith(record.encode()) else None
