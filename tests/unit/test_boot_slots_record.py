"""The record about the boot slots, in Python."""

from __future__ import annotations

from bareflow.disk import boot_slots


def test_bytes_of_a_record() -> None:
    assert (boot_slots.NEWEST, boot_slots.FALLBACK, boot_slots.NONE) == (0, 1, 0xFF)
    assert boot_slots.BootSlots() == boot_slots.BootSlots(slot=0, attempts=3, requested=0xFF)
    record = boot_slots.BootSlots(slot=1, attempts=2, requested=0).encode()
    assert record == b"SLOT\x01\x01\x02\x00\xfe\xfe\xfd\xff"


def test_records_are_read_back_or_refused() -> None:
    record = boot_slots.BootSlots(boot_slots.FALLBACK, 1, boot_slots.NEWEST)
    sector = record.encode().ljust(512, b"\xa5")
    assert boot_slots.decode(sector) == record
    for bit in range(12 * 8):
        changed = bytearray(sector)
        changed[bit // 8] ^= 1 << bit % 8
        assert boot_slots.decode(bytes(changed)) is None
    assert boot_slots.decode(boot_slots.BootSlots(slot=2).encode()) is None
