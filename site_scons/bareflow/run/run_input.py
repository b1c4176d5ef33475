"""Standard input of `run`: the prompt, or what is typed in a dialogue."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import threading
from collections.abc import Callable, Iterator

from bareflow.errors import BareFlowError
from bareflow.model_program import MODEL_PROGRAM
from bareflow.qemu.guest import Guest, GuestError

ESCAPE = b"\x1d"  # Ctrl-], as in telnet
ENTER = b"\r"
POWER_OFF = MODEL_PROGRAM.end.encode() + ENTER
END_OF_INPUT = b"\x04"
"""Ctrl-D."""
MOST_PROMPT = 1 << 20
"""Bytes: more than any context holds, and little enough for every guest's memory."""
PATIENCE = 2.0
"""Seconds without input after which a message says what is waited for."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class InputError(BareFlowError):
    """Standard input cannot be what it is used for."""


def read_prompt(source: int) -> str:
    """All that comes from a file descriptor, as a prompt: lines end with "\\n", the last one's end does not
    belong to the prompt, nor does a byte-order mark."""
    data = bytearray()
    try:
        if not select.select([source], [], [], PATIENCE)[0]:
            print(
                "run: the prompt is read from standard input, up to its end (or give prompt=)",
                file=sys.stderr,
            )
        while piece := os.read(source, 65536):
            data += piece
            if len(data) > MOST_PROMPT:
                raise InputError(f"standard input is no prompt: it is longer than {MOST_PROMPT} bytes")
    except OSError as error:
        raise InputError(f"standard input cannot be read: {error.strerror}") from None
    if 0 in data:
        raise InputError("standard input is no prompt: there is a zero byte in it")
    text = bytes(data).removeprefix(BYTE_ORDER_MARK).replace(b"\r\n", b"\n").removesuffix(b"\n")
    return text.decode("utf-8", "surrogateescape")


class Keys:
    """Lines of any system's text files as they are typed: each ends with one Enter."""

    def __init__(self) -> None:
        self._last = b""  # byte of the input

    def typed(self, data: bytes) -> bytes:
        """The next bytes of the input, at least one."""
        if self._last == b"\r" and data.startswith(b"\n"):
            keys = data[1:]  # the rest of a CR LF
        else:
            keys = data
        self._last = data[-1:]
        return keys.replace(b"\r\n", ENTER).replace(b"\n", ENTER)

    def end(self) -> bytes:
        """What ends the last line, if nothing has."""
        return b"" if self._last in (b"", b"\r", b"\n") else ENTER


def forward(
    guest: Guest, stop: Callable[[str], None], source: int, ended: threading.Event, last: bytes
) -> None:
    """Sends lines from a file descriptor to the guest, and behind them `last`, which ends it. ended is set
    before that."""
    keys = Keys()
    with contextlib.suppress(GuestError):  # the guest ended before its input did
        try:
            while data := os.read(source, 4096):
                guest.send(keys.typed(data), patient=True)  # it may be busy with a text for long
        except OSError as error:
            stop(f"standard input cannot be read: {error.strerror}")
            return
        ended.set()
        guest.send((keys.end() if last == POWER_OFF else b"") + last, patient=True)


def forward_keys(guest: Guest, stop: Callable[[], None], source: int) -> None:
    """Sends every key of a terminal to the guest, until Ctrl-] or the terminal's end, and then stops it."""
    with contextlib.suppress(GuestError):  # the guest has ended
        with contextlib.suppress(OSError):
            while (data := os.read(source, 4096)) and ESCAPE not in data:
                guest.send(data, patient=True)
        stop()


@contextlib.contextmanager
def raw_terminal(descriptor: int) -> Iterator[None]:
    """Every key goes to the guest as it is typed, Ctrl-C too; output stays as it is."""
    before = termios.tcgetattr(descriptor)
    raw = termios.tcgetattr(descriptor)
    raw[0] &= ~(termios.ICRNL | termios.IXON)
    raw[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
    termios.tcsetattr(descriptor, termios.TCSADRAIN, raw)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
