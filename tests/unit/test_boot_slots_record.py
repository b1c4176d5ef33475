"""The record about the boot slots, in Python."""

from __future__ import annotations

import struct

from bareflow.disk import boot_slots


def test_bytes_of_a_record() -> None:
    assert (boot_slots.NEWEST, boot_slots.FALLBACK, boot_slots.NONE) == (0, 1, 0xFF)
    assert boot_slots.BootSlots() == boot_slots.BootSlots(slot=0, attempts=3, requested=0xFF)
    record = boot_slots.BootSlots(slot=1, attempts=2, requested=0).encode()
    names = b"BAREFLOWKRN\x00FALLBACKKRN\x00"
    total = sum(struct.unpack("<7I", b"\x02\x01\x02\x00" + names)) & 0xFFFFFFFF
    assert record == b"SLOT\x02\x01\x02\x00" + names + struct.pack("<I", total ^ 0xFFFFFFFF)


def test_names_of_snapshots() -> None:
    kernels = ("/boot/snapshots/0012.KRN", "/boot/BAREFLOW.KRN")
    record = boot_slots.BootSlots(kernels=kernels)
    assert record.encode()[8:32] == b"0012    KRN\x01BAREFLOWKRN\x00"
    assert boot_slots.decode(record.encode()) == record


def test_records_are_read_back_or_refused() -> None:
    record = boot_slots.BootSlots(boot_slots.FALLBACK, 1, boot_slots.NEWEST)
    sector = record.encode().ljust(512, b"\xa5")
    assert boot_slots.decode(sector) == record
    for bit in range(36 * 8):
        changed = bytearray(sector)
        changed[bit // 8] ^= 1 << bit % 8
        assert boot_slots.decode(bytes(changed)) is None
    assert boot_slots.decode(boot_slots.BootSlots(slot=2).encode()) is None
