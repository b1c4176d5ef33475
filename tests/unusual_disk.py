"""Machines whose disk QEMU treats in an unusual way: faults, limits, write protection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine
from disk_tools import DiskImage

FAST_CLOCK = ("-icount", "shift=5,sleep=off")
"""Arguments of QEMU. The machine's clock goes by its instructions, 32 ns for each: seconds in which a guest
asks a disk again and again pass sooner."""


@dataclass(frozen=True)
class UnusualDisk(Machine):
    """A machine where in the options of its drive the first text becomes the second."""

    change: tuple[str, str] = ("", "")

    def _drive_arguments(self) -> list[str]:
        return [argument.replace(*self.change) for argument in super()._drive_arguments()]


def boot_faulty(
    image: DiskImage, event: str, *, once: bool, sector: int | None = None, number: int = 1, **machine: Any
) -> Guest:
    """Boots from a disk where one kind of access (to one sector) fails from the number-th on, or only that
    one."""
    faults = image.path.with_name("faults.conf")
    lines = ["[inject-error]", f'event = "{event}"', 'errno = "5"', f'once = "{"on" if once else "off"}"']
    lines.append(f'state = "{number}"')
    if sector is not None:
        lines.append(f'sector = "{sector}"')
    for state in range(1, number):
        lines += ["[set-state]", f'event = "{event}"', f'state = "{state}"', f'new_state = "{state + 1}"']
    faults.write_text("\n".join(lines) + "\n")
    change = ("file=", f"file=blkdebug:{faults}:")
    return Guest(UnusualDisk(image.path, snapshot=False, change=change, **machine))
