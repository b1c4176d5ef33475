"""A machine that lacks a device boots all the same, and nothing waits for ever for what is not there."""

from __future__ import annotations

import subprocess

import pytest
from bareflow.qemu.machine import QEMU
from fixture_types import Boot, GuestImage


@pytest.mark.parametrize(
    "missing",
    [("-machine", "i8042=off"), ("-vga", "none")],
    ids=["keyboard controller", "display"],
)
def test_without(boot: Boot, guest_image: GuestImage, missing: tuple[str, str]) -> None:
    guest = boot(guest_image("power"), config={"end": "exit"}, extra=missing)
    guest.expect(r"^ready\n")
    assert guest.wait_exit() == 7


def test_without_timer(boot: Boot, guest_image: GuestImage) -> None:
    """The TSC's frequency cannot be measured then: it is said to be 1 GHz."""
    guest = boot(guest_image("clock"), extra=["-machine", "pit=off"])
    guest.expect(r"^PIT 1000000000 Hz\n")
    assert guest.wait_exit() == 0


def test_without_serial_line(guest_image: GuestImage) -> None:
    command = [QEMU, "-accel", "tcg", "-nodefaults", "-display", "none", "-serial", "none"]
    command += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    command += ["-drive", f"file={guest_image('power')},format=raw,snapshot=on"]
    command += ["-fw_cfg", 'name=opt/bareflow/config,string=end = "exit"']
    assert subprocess.run(command, timeout=60).returncode == 2 * 7 + 1
