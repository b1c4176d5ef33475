"""Whether a machine whose QEMU runs will never go on: paused by QEMU, or halted for good."""

from __future__ import annotations

import re
from typing import NamedTuple

from qemu.qmp import Message

INTERRUPT_FLAG = 1 << 9  # of EFLAGS
PROTECTED_MODE = 1 << 0  # of CR0
BIOS = 0xC0000
"""Where the BIOS's and its extensions' code begins, for a processor in real mode."""
PROMPT = "> "
"""Of the dialogue."""

_PAUSED = {
    "io-error": "an access to its disk failed",
    "internal-error": "of an error of its own",
    "guest-panicked": "the guest reported a panic",
}


def paused(status: str, block_errors: list[Message]) -> str | None:
    """Why QEMU has paused the machine for ever, if it has. status is query-status's, block_errors the events
    BLOCK_IO_ERROR."""
    if status not in _PAUSED:
        return None
    why = _PAUSED[status]
    stopped = [event["data"] for event in block_errors]
    stopped = [data for data in stopped if isinstance(data, dict) and data.get("action") == "stop"]
    if status == "io-error" and stopped:
        last = stopped[-1]
        assert isinstance(last, dict)
        why = (
            f"its disk could not be {'read' if last['operation'] == 'read' else 'written'}: {last['reason']}"
        )
    return f"QEMU has paused the machine because {why}"


class Processor(NamedTuple):
    """What `info registers` says about a processor."""

    halted: bool
    interrupts: bool
    """Whether an interrupt would wake it."""
    real_mode: bool
    code: int
    """Base address of its code segment."""


def parse_registers(text: str) -> Processor | None:
    """The first processor's; None when the text says nothing of the kind."""
    halted = re.search(r"\bHLT=([01])", text)
    flags = re.search(r"\b[ER]FL=([0-9a-f]+)", text)
    mode = re.search(r"\bCR0=([0-9a-f]+)", text)
    code = re.search(r"^CS =[0-9a-f]+ ([0-9a-f]+)", text, re.MULTILINE)
    if not (halted and flags and mode and code):
        return None
    return Processor(
        halted[1] == "1",
        bool(int(flags[1], 16) & INTERRUPT_FLAG),
        not int(mode[1], 16) & PROTECTED_MODE,
        int(code[1], 16),
    )


def halted(processor: Processor, serial: str, *, typing: bool = True) -> str | None:
    """Why a processor in this state, after this output on the serial line, will never go on. typing: whether
    the guest may get input.

    The loader halts only at its end, after an error, with interrupts for the BIOS's sake (boot/console.inc);
    what else halts in real mode is the BIOS while it waits for a disk.
    """
    if not processor.halted:
        return None
    if not processor.interrupts:
        return "the processor has halted for good"
    if not typing and serial.rpartition("\n")[2] == PROMPT:
        return "the guest waits for input, as if it had not read its configuration"
    if processor.real_mode and processor.code < BIOS:
        last = serial.rstrip("\n").rpartition("\n")[2]
        if last.startswith("error: "):
            return "the boot loader has stopped: it has no kernel that it can start on this machine"
    return None
