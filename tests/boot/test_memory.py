"""All RAM is usable, and the heap over it is sound: guests/memory.c allocates everything there is."""

from __future__ import annotations

import pytest
from fixture_types import Boot, GuestImage

MIB = 1 << 20
GIB = 1 << 30
# What is not for the heap: the low 1 MiB, the kernel, page tables, what the BIOS keeps at the end of
# RAM, and for each memory region the allocator's own bytes and the rest below the smallest block.
RESERVED = 2 * MIB


@pytest.mark.parametrize("machine", ["pc", "q35"])
@pytest.mark.parametrize("memory", [4, 16, 64, 512, 3584, 8192])
def test_all_ram_is_allocated(boot: Boot, guest_image: GuestImage, machine: str, memory: int) -> None:
    drive = "ide" if machine == "pc" else "ahci"
    guest = boot(guest_image("memory"), machine=machine, drive=drive, memory=memory)
    allocated = int(guest.expect(r"^allocated (\d+) bytes in \d+ blocks\n")[1])
    highest = int(guest.expect(r"^highest address 0x([0-9a-f]+)\n")[1], 16)
    assert guest.wait_exit() == 0
    assert memory * MIB - RESERVED <= allocated < memory * MIB
    if memory * MIB > 4 * GIB:
        assert highest > memory * MIB  # RAM below 4 GiB makes room for devices and goes on above
    else:
        assert highest > memory * MIB - RESERVED


@pytest.mark.parametrize("cpu", ["qemu64", "max"])
def test_with_and_without_gigabyte_pages(boot: Boot, guest_image: GuestImage, cpu: str) -> None:
    guest = boot(guest_image("memory"), cpu=cpu, memory=6144)
    allocated = int(guest.expect(r"^allocated (\d+) bytes ")[1])
    assert guest.wait_exit() == 0
    assert allocated > 6144 * MIB - RESERVED
