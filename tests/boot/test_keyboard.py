"""Typing, on the PS/2 keyboard and on the serial line, against guests/keyboard.c, which echoes."""

from __future__ import annotations

import re

import pytest
from bareflow.qemu.guest import Guest
from fixture_types import Boot, GuestImage

KEYS_KEPT = 8
"""Keys that the controller keeps while nobody reads it: QEMU's has room for 16 bytes, two a key. On a busy
machine the guest may stand still for as long as it takes to type more, so a test that types while the
processor is not free to answer waits for their echo."""


@pytest.fixture
def guest(boot: Boot, guest_image: GuestImage) -> Guest:
    """The echoing guest, ready for input."""
    guest = boot(guest_image("keyboard"))
    guest.expect("^ready\n")
    return guest


def expect_line(guest: Guest, expected: bytes) -> None:
    """Waits for the guest's account of the bytes it got before enter."""
    account = "".join(f" {byte:02x}" for byte in expected)
    assert guest.expect("^got(.*)\n")[1] == account


def test_every_character_key(guest: Guest) -> None:
    for text in (
        "abcdefghijklmnopqrstuvwxyz 1234567890",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "`-=[]\\;',./ ~!@#$%^&*()_+{}|:\"<>?",
    ):
        guest.type_text(text + "\n")
        expect_line(guest, text.encode())


def test_backspace_tab_escape_and_control(guest: Guest) -> None:
    guest.type_text("a\b\t")
    guest.send_key("esc")
    guest.send_key("ctrl", "c")
    guest.send_key("ctrl_r", "a")
    guest.type_text("\n")
    expect_line(guest, b"a\b\t\x1b\x03\x01")


def test_caps_lock_turns_letters_only(guest: Guest) -> None:
    guest.send_key("caps_lock")
    guest.type_text("a1")
    guest.send_key("shift", "b")
    guest.send_key("caps_lock")
    guest.type_text("c\n")
    expect_line(guest, b"A1bc")


def test_keys_without_character_leave_no_trace(guest: Guest) -> None:
    for key in ("pgup", "pgdn", "f1", "pause", "print", "alt", "meta_l", "insert"):
        guest.send_key(key)
    guest.type_text("x")
    guest.send_key("kp_enter")
    expect_line(guest, b"x")


def test_keys_that_move_the_cursor(guest: Guest) -> None:
    """They send what they send on xterm (ctlseqs, "PC-Style Function Keys")."""
    for key in ("up", "down", "right", "left", "home", "end", "delete"):
        guest.send_key(key)
    guest.type_text("\n")
    expect_line(guest, b"\x1b[A\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F\x1b[3~")


def test_keypad(guest: Guest) -> None:
    for key in ("kp_7", "kp_subtract", "kp_5", "kp_add", "kp_0", "kp_decimal", "kp_multiply", "kp_divide"):
        guest.send_key(key)
    guest.type_text("\n")
    expect_line(guest, b"7-5+0.*/")


def test_serial_line(guest: Guest) -> None:
    # What terminals send: DEL for backspace, and CR, LF or both for enter.
    guest.send("abc\x7f\rd\ne\r\nf\n\rg\r\r\n")
    for line in (b"abc\b", b"d", b"e", b"f", b"", b"g", b""):
        expect_line(guest, line)


def test_serial_line_loses_nothing_of_a_long_paste(guest: Guest) -> None:
    lines = [f"{number:04d} " + "x" * 90 for number in range(20)]
    guest.send("".join(line + "\r" for line in lines))
    for line in lines:
        expect_line(guest, line.encode())


def test_both_at_once_then_end(guest: Guest) -> None:
    guest.type_text("qu")
    guest.expect("^qu")
    guest.send("it\r")  # not on the keyboard: QEMU might end before it has answered QMP's send-key
    expect_line(guest, b"quit")
    assert guest.wait_exit() == 0


def test_nothing_is_lost_while_the_bios_reads_the_disk(boot: Boot, guest_image: GuestImage) -> None:
    guest = boot(guest_image("keyboard"), config={"disk": "bios", "busy": "/boot/BAREFLOW.KRN"})
    guest.expect("^ready\n")
    typed = "the quick brown fox jumps over the lazy dog"
    for start in range(0, len(typed), KEYS_KEPT):
        keys = typed[start : start + KEYS_KEPT]
        guest.type_text(keys)
        guest.expect(re.escape(keys))
    guest.type_text("\n")
    expect_line(guest, typed.encode())
    guest.send(typed + "\n")
    expect_line(guest, typed.encode())


def test_echo_on_the_screen(guest: Guest) -> None:
    guest.type_text("hello\b\b")
    guest.expect_screen("^hello$")  # a backspace moves the cursor and erases nothing
    guest.type_text("LO\n")
    guest.expect_screen("^helLO$")


def test_other_characters_take_their_columns(guest: Guest) -> None:
    """The screen has no UTF-8, but its columns are those of a terminal that has: a wide character takes two,
    a combining one none, what is malformed one."""
    guest.send("a\u00fcb\u20acc\u6f22de\u0301f\r")
    guest.expect_screen("^a\u25a0b\u25a0c\u25a0\u25a0def$")
    expect_line(guest, "a\u00fcb\u20acc\u6f22de\u0301f".encode())


def test_screen_scrolls(guest: Guest) -> None:
    """25 rows: "ready" on the last but one, above it the last 23 of the 30 lines."""
    guest.expect_screen("^ready$")
    assert guest.screen() == [*(f"line {number}" for number in range(8, 31)), "ready", ""]


def test_status_line_stays_where_it_is(guest: Guest) -> None:
    """It takes the last row when that is in use; what was there moves up, and later lines scroll above it."""
    guest.expect_screen("^ready$")
    guest.type_text("status all is well\n")
    guest.expect_screen("^all is well$")
    assert guest.screen()[-4:] == [
        "status all is well",
        f"got {b'status all is well'.hex(' ')}",
        "",
        "all is well",
    ]
    guest.type_text("a\nstatus fine\n")
    guest.expect_screen("^fine$")
    assert guest.screen()[-6:-2] == ["a", "got 61", "status fine", f"got {b'status fine'.hex(' ')}"]
    assert guest.screen()[-1] == "fine"


def test_cursor_follows(guest: Guest) -> None:
    guest.type_text("abc")
    guest.expect_screen("^abc$")
    registers = {}
    for index in (0x0E, 0x0F):  # CRT controller: cursor location, high and low
        guest.qmp("human-monitor-command", **{"command-line": f"o/b 0x3d4 {index}"})
        answer = str(guest.qmp("human-monitor-command", **{"command-line": "i/b 0x3d5"}))
        registers[index] = int(answer.split("=")[1], 16)
    assert registers[0x0E] << 8 | registers[0x0F] == 24 * 80 + 3
