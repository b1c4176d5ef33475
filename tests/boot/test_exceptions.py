"""Every exception ends the guest with a report that says what happened, where, and who called.

The faults are in guests/exceptions.c. What is expected of each follows from the Intel SDM (vol. 3,
chapter 6) and from what the fault does, not from what the kernel prints.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from fixture_types import Boot, GuestImage

EXCEPTION_CODE = 1  # exit code after an exception or a panic
CALLERS = ("app_main", "kernel_start", "kernel_entry")
EVERYTHING = "max"  # QEMU's default for 32 bits has no NX, and neither has XSAVE
REGISTERS = {
    "x86_64": "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip rflags",
    "i386": "eax ebx ecx edx esi edi ebp esp eip eflags",
}


@dataclass(frozen=True)
class Fault:
    """One fault: its headline, the line that explains it, the function it is in, its callers."""

    name: str
    headline: str
    function: str
    detail: str = ""
    callers: tuple[str, ...] = CALLERS


# Page-fault error codes: 1 = the page is present, 2 = write, 16 = instruction fetch.
FAULTS = [
    Fault("divide_error", "#DE divide error, vector 0, error code 0x0", "divide_error"),
    Fault("breakpoint", "#BP breakpoint, vector 3, error code 0x0", "breakpoint"),
    Fault("invalid_opcode", "#UD invalid opcode, vector 6, error code 0x0", "invalid_opcode"),
    Fault("no_end", "#UD invalid opcode, vector 6, error code 0x0", "no_end"),
    Fault(
        "double_fault",
        "#DF double fault, vector 8, error code 0x0",
        "null_read",
        callers=("double_fault", *CALLERS),
    ),
    Fault("general_protection", "#GP general protection, vector 13, error code 0x0", "general_protection"),
    Fault("not_canonical", "#GP general protection, vector 13, error code 0x0", "not_canonical"),
    Fault(
        "missing_vector",
        # QEMU's TCG doubles the vector number in long mode, so the number itself is not looked at.
        "#GP general protection, vector 13, error code 0x[0-9a-f]+",
        "missing_vector",
        r"because of IDT entry \d+",
    ),
    Fault(
        "null_read",
        "#PF page fault, vector 14, error code 0x0",
        "null_read",
        "read at 0x0+10: null pointer",
    ),
    Fault(
        "null_call",
        "#PF page fault, vector 14, error code 0x10",
        "0x0",
        "execution at 0x0+: null pointer",
    ),
    Fault(
        "wild_write",
        "#PF page fault, vector 14, error code 0x2",
        "wild_write",
        "write at 0x(?:0000123456789000|d0000000): no memory there",
    ),
    Fault(
        "write_rodata",
        "#PF page fault, vector 14, error code 0x3",
        "write_rodata",
        "write at 0x[0-9a-f]+: read-only",
    ),
    Fault(
        "write_text",
        "#PF page fault, vector 14, error code 0x3",
        "write_text",
        "write at 0x0+100000: read-only",
    ),
    Fault(
        "execute_data",
        "#PF page fault, vector 14, error code 0x11",
        "0x[0-9a-f]+",
        "execution at 0x[0-9a-f]+: not executable",
    ),
    Fault(
        "execute_heap",
        "#PF page fault, vector 14, error code 0x11",
        "0x[0-9a-f]+",
        "execution at 0x[0-9a-f]+: not executable",
    ),
    Fault(
        "stack_overflow",
        "#PF page fault, vector 14, error code 0x2",
        "recurse",
        "write at 0x[0-9a-f]+: stack overflow",
        ("recurse", "stack_overflow", *CALLERS),
    ),
    Fault(
        "broken_frame_chain",
        "#UD invalid opcode, vector 6, error code 0x0",
        "broken_frame_chain",
        callers=(),
    ),
]


def backtrace(serial: str) -> tuple[str, ...]:
    """The function names after "backtrace:"."""
    lines = serial.partition("backtrace:\n")[2].splitlines()
    names = (re.fullmatch(r"  (\w+)\+0x[0-9a-f]+(?: \((?:\d+ times|a guess)\))?", line) for line in lines)
    return tuple(match[1] for match in names if match)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_report(boot: Boot, guest_image: GuestImage, architecture: str, fault: Fault) -> None:
    if fault.name == "not_canonical" and architecture == "i386":
        pytest.skip("every address of 32 bits is valid")
    guest = boot(guest_image("exceptions"), cpu=EVERYTHING, config={"fault": fault.name})
    assert guest.wait_exit() == EXCEPTION_CODE
    where = fault.function if fault.function.startswith("0x") else rf"{fault.function}\+0x[0-9a-f]+"
    detail = rf"  {fault.detail}\n" if fault.detail else ""
    assert re.search(rf"\nexception: {fault.headline}\n  in {where}\n{detail}  [re]ax ", guest.serial)
    assert backtrace(guest.serial) == fault.callers
    # Whoever called what is no code has left its address on the stack, if it was a call.
    assert guest.serial.count("(a guess)") == fault.function.startswith("0x")


def test_registers_are_those_of_the_fault(boot: Boot, guest_image: GuestImage, architecture: str) -> None:
    guest = boot(guest_image("exceptions"), config={"fault": "null_read"})
    guest.wait_exit()
    report = guest.serial.partition("\nexception: ")[2]
    registers = dict(re.findall(r"\b([re][a-z]+|r\d+|cr\d|cs|ss) +([0-9a-f]+)\b", report))
    general, flags = REGISTERS[architecture].split(), REGISTERS[architecture].split()[-1]
    assert {*general, "cr0", "cr2", "cr3", "cr4", "cs"} == set(registers) - {"ss"}
    assert int(registers["cr2"], 16) == 16
    assert int(registers["cr0"], 16) & 1 << 16, "CR0.WP is off: read-only pages do not protect"
    assert int(registers[flags], 16) & 2, "bit 1 of the flags is always set"


def test_report_is_on_the_screen_when_the_machine_stays(boot: Boot, guest_image: GuestImage) -> None:
    guest = boot(guest_image("exceptions"), config={"fault": "divide_error"}, debug_exit=False)
    guest.expect("backtrace:\n(?:  .*\n)+")
    guest.expect_screen(r"^exception: #DE divide error")
    guest.expect_screen(r"^  kernel_start\+0x")


def test_fault_inside_the_report_does_not_recurse(boot: Boot, guest_image: GuestImage) -> None:
    guest = boot(guest_image("exceptions"), config={"fault": "nested"})
    assert guest.wait_exit() == EXCEPTION_CODE
    assert guest.serial.count("exception: #UD invalid opcode") == 1
    assert guest.serial.endswith("\nanother exception while reporting this one\n")


def test_panic(boot: Boot, guest_image: GuestImage) -> None:
    guest = boot(guest_image("exceptions"), config={"fault": "panic"})
    assert guest.wait_exit() == EXCEPTION_CODE
    assert "\npanic: the test asked for a panic\nbacktrace:\n" in guest.serial
    assert backtrace(guest.serial) == ("own_panic", *CALLERS)


def test_old_cpu_without_no_execute(boot: Boot, guest_image: GuestImage) -> None:
    """W^X still forbids writing; an absent NX bit must not be set in the page tables."""
    guest = boot(guest_image("exceptions"), config={"fault": "write_rodata"}, cpu="qemu64,-nx")
    assert guest.wait_exit() == EXCEPTION_CODE
    assert "read-only" in guest.serial
