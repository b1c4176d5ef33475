"""All RAM is usable, and the heap over it is sound: guests/memory.c allocates everything there is."""

from __future__ import annotations

import re

import pytest
from fixture_types import Boot, GuestImage

MIB = 1 << 20
GIB = 1 << 30
# What is not for the heap: the low 1 MiB, the kernel, page tables, what the BIOS keeps at the end of
# RAM, and for each memory region the allocator's own bytes and the rest below the smallest block.
RESERVED = 2 * MIB
BELOW_4_GIB = {"pc": 3 * GIB, "q35": 2 * GIB}
"""Where QEMU's machines put the rest of more memory than 3.5 and 2.75 GiB above 4 GiB."""


def within_reach(memory: int, machine: str, architecture: str) -> int:
    """How many of so many bytes of memory a kernel can use."""
    split = memory > (7 * GIB // 2 if machine == "pc" else 11 * GIB // 4) - MIB
    return BELOW_4_GIB[machine] if split and architecture == "i386" else memory


@pytest.mark.parametrize("machine", ["pc", "q35"])
@pytest.mark.parametrize("memory", [4, 16, 64, 512, 3584, 8192])
def test_all_ram_is_allocated(
    boot: Boot, guest_image: GuestImage, architecture: str, machine: str, memory: int
) -> None:
    drive = "ide" if machine == "pc" else "ahci"
    guest = boot(guest_image("memory"), machine=machine, drive=drive, memory=memory)
    allocated = int(guest.expect(r"^allocated (\d+) bytes in \d+ blocks\n")[1])
    highest = int(guest.expect(r"^highest address 0x([0-9a-f]+)\n")[1], 16)
    assert guest.wait_exit() == 0
    usable = within_reach(memory * MIB, machine, architecture)
    assert usable - RESERVED <= allocated < usable
    left_alone = re.findall(r"^(\d+) MiB of memory above 4 GiB are left alone\.$", guest.serial, re.MULTILINE)
    assert left_alone == ([] if usable == memory * MIB else [str(memory - usable // MIB)])
    if usable > 4 * GIB:
        assert highest > memory * MIB  # RAM below 4 GiB makes room for devices and goes on above
    else:
        assert highest > usable - RESERVED


@pytest.mark.parametrize("cpu", ["qemu64", "max"])
def test_with_and_without_gigabyte_pages(
    boot: Boot, guest_image: GuestImage, architecture: str, cpu: str
) -> None:
    guest = boot(guest_image("memory"), cpu=cpu, memory=6144)
    allocated = int(guest.expect(r"^allocated (\d+) bytes ")[1])
    assert guest.wait_exit() == 0
    assert allocated > within_reach(6144 * MIB, "pc", architecture) - RESERVED
