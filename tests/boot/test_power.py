"""The three ways to end: isa-debug-exit with a code, ACPI power-off, restart (guests/power.c)."""

from __future__ import annotations

import pytest
from fixture_types import Boot, GuestImage

MACHINES = [("pc", "ide"), ("q35", "ahci")]


@pytest.mark.parametrize(("machine", "drive"), MACHINES)
def test_exit_code(boot: Boot, guest_image: GuestImage, machine: str, drive: str) -> None:
    guest = boot(guest_image("power"), config={"end": "exit"}, machine=machine, drive=drive)
    ending = guest.wait_end()
    assert (ending.how, ending.code) == ("debug-exit", 7)
    assert guest.event("exit")["code"] == 7


@pytest.mark.parametrize(("machine", "drive"), MACHINES)
def test_acpi_power_off(boot: Boot, guest_image: GuestImage, machine: str, drive: str) -> None:
    guest = boot(guest_image("power"), config={"end": "exit"}, machine=machine, drive=drive, debug_exit=False)
    assert guest.wait_end().how == "power-off"
    assert guest.event("exit")["code"] == 7


def test_machine_without_acpi_says_so(boot: Boot, guest_image: GuestImage) -> None:
    guest = boot(guest_image("power"), config={"end": "exit"}, debug_exit=False, extra=["-no-acpi"])
    guest.expect(r"^This machine has no ACPI power-off: it can be switched off now\.\n")
    guest.expect_screen("it can be switched off now")


@pytest.mark.parametrize(("machine", "drive"), MACHINES)
def test_reboot(boot: Boot, guest_image: GuestImage, machine: str, drive: str) -> None:
    guest = boot(guest_image("power"), config={"end": "reboot"}, machine=machine, drive=drive)
    guest.expect(r"^ready\n")
    assert guest.wait_end().how == "reset"
