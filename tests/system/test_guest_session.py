"""bareflow.qemu.guest against a boot sector of known behaviour (session.asm)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bareflow.qemu.guest import Ending, GuestError
from bareflow.qemu.machine import Machine, QemuError
from fixture_types import Boot


@pytest.mark.parametrize(
    ("machine", "drive"),
    [
        ("pc", "ide"),
        ("pc", "ahci"),
        ("q35", "ahci"),
        ("pc", "virtio-blk"),
        ("pc", "usb-storage"),
        ("q35", "nvme"),
        ("pc", "floppy"),
    ],
)
def test_every_drive_boots(boot: Boot, session_image: Path, machine: str, drive: str) -> None:
    guest = boot(session_image, machine=machine, drive=drive)
    guest.expect("^> ")
    guest.send("q")
    assert guest.wait_exit() == 3


def test_output_is_taken_apart(boot: Boot, session_image: Path) -> None:
    guest = boot(session_image)
    guest.expect("^> ")
    assert guest.text == "Once\nupon"
    assert guest.console == "hello\n> "
    assert [event["event"] for event in guest.events] == ["boot", "text_begin", "text_end"]
    assert guest.expect_event("text_end") == {"event": "text_end", "bytes": 9}
    assert guest.event("boot") == {"event": "boot"}
    assert guest.screen()[24].startswith("OK")


def test_keyboard_and_serial_input(boot: Boot, session_image: Path) -> None:
    guest = boot(session_image)
    guest.expect("^> ")
    guest.type_text("Hi!")
    guest.expect("Hi!")
    guest.send("echo")
    guest.expect("echo")


def test_reset_is_no_exit(boot: Boot, session_image: Path) -> None:
    guest = boot(session_image)
    guest.expect("^> ")
    guest.send("r")
    assert guest.wait_end() == Ending("reset", -1)
    with pytest.raises(GuestError, match="reset the machine"):
        guest.wait_exit()


def test_machine_may_crash_so_often(boot: Boot, session_image: Path) -> None:
    guest = boot(session_image, crashes=1)
    for _ in range(2):
        guest.expect(r"hello(.*\n)*> ")
        guest.send("r")
    assert guest.wait_end() == Ending("reset", -1)
    assert guest.text == "Once\nupon" * 2


def test_hung_guest_fails_with_log_and_screen(boot: Boot, session_image: Path) -> None:
    guest = boot(session_image)
    with pytest.raises(GuestError) as error:
        guest.expect("never printed", timeout=1.0)
    message = str(error.value)
    assert "did not come in time" in message
    assert "hello" in message, "the serial log is missing"
    assert "\nOK" in message, "the screen is missing"


def test_guest_that_ends_early_fails_at_once(boot: Boot, session_image: Path) -> None:
    guest = boot(session_image)
    guest.expect("^> ")
    guest.send("q")
    with pytest.raises(GuestError, match=r"ended before .*(\n.*)*debug-exit, code 3"):
        guest.expect("never printed", timeout=3600.0)


def test_broken_protocol_fails(boot: Boot, session_image: Path) -> None:
    guest = boot(session_image)
    guest.expect("^> ")
    guest.send("g")
    with pytest.raises(GuestError, match=r"nonsense.* is no JSON"):
        guest.expect("never printed")


def test_close_ends_the_process(boot: Boot, session_image: Path) -> None:
    guest = boot(session_image)
    pid = guest.pid
    guest.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_failing_to_start_is_told(boot: Boot, session_image: Path) -> None:
    with pytest.raises(QemuError, match=r"did not start: .*no-such-cpu"):
        boot(session_image, cpu="no-such-cpu")
    with pytest.raises(QemuError, match="qemu-of-nowhere was not found; install QEMU"):
        boot(session_image, qemu="qemu-of-nowhere")
    with pytest.raises(QemuError, match="no such disk image"):
        boot(session_image.with_name("missing.img"))


def test_impossible_drives_are_refused() -> None:
    with pytest.raises(QemuError, match="drive=tape: not one of ide, "):
        Machine(Path(__file__), drive="tape").command(0, 0, 0)
    with pytest.raises(QemuError, match="q35 has no IDE controller"):
        Machine(Path(__file__), machine="q35").command(0, 0, 0)
