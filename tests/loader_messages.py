"""What the loader says when something is wrong."""

from __future__ import annotations

import re

from bareflow.qemu.guest import Guest

NO_KERNEL = "error: /boot/BAREFLOW.KRN is not there; copy a good kernel there"
BAD_BOOT_SECTOR = "error: the FAT partition's boot sector is damaged; write the image again"
BAD_CHAIN = "error: the cluster chain of /boot or of its kernel is damaged; write the image again"


def expect_error(guest: Guest, message: str) -> None:
    """Waits for exactly this line, also on the screen (80 columns), with nothing behind it."""
    guest.expect(f"^{re.escape(message)}\n")
    assert guest.serial.endswith(f"{message}\n")
    lines = [message[i : i + 80].rstrip() for i in range(0, len(message), 80)]
    guest.expect_screen("^" + "\n".join(re.escape(line) for line in lines) + "$")
