"""Machines that will never go on, by what QEMU says about them."""

from __future__ import annotations

from typing import Any

import pytest
from bareflow.qemu.state import halted, parse_registers, paused

# Of QEMU 7.2's `info registers`.
REGISTERS = """
CPU#0
{rax}
{flags} [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT={halted}
ES =0000 00000000 0000ffff 00009300
CS ={code} 0000ffff 00009b00
SS =0000 00000000 0000ffff 00009300
CR0={cr0} CR2=00000000 CR3=00000000 CR4=00000000
"""
ERROR = "\nerror: this CPU has no long mode; use a 64-bit x86 CPU\n"
LOADER = {
    "rax": "EAX=00000600",
    "flags": "EIP=00008064 EFL=00000246",
    "code": "0000 00000000",
    "cr0": "00000010",
}
BIOS = LOADER | {"code": "f000 000f0000"}
WAITING = {
    "rax": "RAX=0000000000000001",
    "flags": "RIP=0000000000103f21 RFL=00000202",
    "code": "0008 0000000000000000",
    "cr0": "80010013",
}
DEAD = WAITING | {"flags": "RIP=0000000000103f21 RFL=00000002"}


@pytest.mark.parametrize(
    ("registers", "halt", "serial", "why"),
    [
        (LOADER, 1, ERROR, "the boot loader has stopped"),
        (
            LOADER,
            1,
            "\nerror: a\n/boot/FALLBACK.KRN is loaded instead\n" + ERROR,
            "the boot loader has stopped",
        ),
        (LOADER, 0, ERROR, None),  # it serves an interrupt
        (LOADER, 1, "> ", None),  # a guest in real mode that waits for a key
        (BIOS, 1, ERROR, None),  # the BIOS waits for a disk
        (WAITING, 1, "> ", None),
        (WAITING, 1, ERROR + "> error: ", None),
        (DEAD, 1, "", "the processor has halted for good"),
        (DEAD, 0, "", None),
    ],
)
def test_halted(registers: dict[str, str], halt: int, serial: str, why: str | None) -> None:
    processor = parse_registers(REGISTERS.format(**registers, halted=halt))
    assert processor is not None
    found = halted(processor, serial)
    assert found is None if why is None else found is not None and found.startswith(why)


@pytest.mark.parametrize(
    ("serial", "typing", "halt", "waits"),
    [
        ("commands\n> ", False, 1, True),
        ("> ", False, 1, True),
        ("commands\n> ", True, 1, False),
        ("commands\n> ", False, 0, False),
        ("a story> ", False, 1, False),
    ],
)
def test_waiting_for_input_that_nobody_types(serial: str, typing: bool, halt: int, waits: bool) -> None:
    processor = parse_registers(REGISTERS.format(**WAITING, halted=halt))
    assert processor is not None
    assert bool(halted(processor, serial, typing=typing)) == waits


def test_unknown_registers() -> None:
    assert parse_registers("CPU#0\nX0=0 HLT=1\n") is None


def io_error(**data: Any) -> dict[str, Any]:
    return {"event": "BLOCK_IO_ERROR", "data": data}


FULL = io_error(operation="write", action="stop", nospace=True, reason="No space left on device")


@pytest.mark.parametrize(
    ("status", "events", "why"),
    [
        ("running", [], None),
        ("paused", [], None),  # by this program, before the machine starts again
        ("shutdown", [FULL], None),
        (
            "io-error",
            [io_error(operation="read", action="report", reason="Input/output error"), FULL],
            "QEMU has paused the machine because its disk could not be written: No space left on device",
        ),
        (
            "io-error",
            [io_error(operation="read", action="stop", reason="Input/output error")],
            "QEMU has paused the machine because its disk could not be read: Input/output error",
        ),
        ("io-error", [], "QEMU has paused the machine because an access to its disk failed"),
        ("internal-error", [], "QEMU has paused the machine because of an error of its own"),
        ("guest-panicked", [], "QEMU has paused the machine because the guest reported a panic"),
    ],
)
def test_paused(status: str, events: list[Any], why: str | None) -> None:
    assert paused(status, events) == why
