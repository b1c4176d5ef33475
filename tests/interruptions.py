"""What an exception's report says at many moments of one boot.

A report stops the machine. So the machine is saved before each NMI, and goes on from there after the report.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine

_REPORT = re.compile(r"\nexception: NMI[^\n]*\n  in ([^\n]+)\n.*\nbacktrace:\n((?:  [^\n]+\n)*)", re.DOTALL)
_HALTED = re.compile(r"RFL=(\w+).*\bHLT=1")
_INTERRUPTS = 0x200
_LIMIT = 60.0
_ALONE = 0.02
"""Seconds at most that the machine runs so that it can be stopped behind any instruction."""


@dataclass(frozen=True)
class Report:
    """The function that was interrupted, and its callers, each as printed."""

    function: str
    callers: list[str]

    def complaints(self) -> list[str]:
        """What is wrong with it, whatever the machine was at."""
        found = []
        if self.function.startswith("0x"):
            found.append("the function has no name")
        if any(line.startswith("0x") or line.endswith("(a guess)") for line in self.callers):
            found.append("a caller has no name or is a guess")
        if [line.partition("+")[0] for line in self.callers[-3:]] != [
            "app_main",
            "kernel_start",
            "kernel_entry",
        ]:
            found.append("the callers do not lead to app_main")
        return [f"{complaint}: {self}" for complaint in found]


def _command(guest: Guest, line: str) -> str:
    return str(guest.qmp("human-monitor-command", **{"command-line": line}))


def _is_halted(guest: Guest) -> bool:
    registers = _command(guest, "info registers")
    match = _HALTED.search(registers)
    return match is not None and not int(match[1], 16) & _INTERRUPTS


def _wait_until_halted(guest: Guest) -> None:
    deadline = time.monotonic() + _LIMIT
    while not _is_halted(guest):
        assert time.monotonic() < deadline, guest.serial[-6000:]
        time.sleep(0.01)


def _report_at_this_moment(guest: Guest) -> Report:
    """The machine is stopped, and is stopped there again afterwards."""
    assert _command(guest, "savevm moment") == ""
    before = len(guest.serial)
    _command(guest, "nmi")
    guest.qmp("cont")
    _wait_until_halted(guest)
    guest.qmp("stop")
    match = _REPORT.search(guest.serial, before)
    assert match, guest.serial[before:]
    assert _command(guest, "loadvm moment") == ""
    return Report(match[1], [line.strip() for line in match[2].splitlines()])


def reports(
    image: Path, config: dict[str, object], count: int, *, begin: str, seconds: float, seed: int
) -> Iterator[Report]:
    """The reports of NMIs at so many random moments, up to `seconds` apart, after the regular expression
    `begin` has come on the serial line. What `config` asks for must take longer."""
    moments = random.Random(seed)
    machine = Machine(image, config=config, memory=144, debug_exit=False)
    with Guest(machine, timeout=_LIMIT) as guest:
        guest.expect(begin)
        for _ in range(count):
            time.sleep(moments.uniform(0, seconds))
            _command(guest, "singlestep on")
            time.sleep(moments.uniform(0, _ALONE))
            guest.qmp("stop")
            _command(guest, "singlestep off")
            yield _report_at_this_moment(guest)
            guest.qmp("cont")
