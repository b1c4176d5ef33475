"""Traps: stand-ins for the functions of a C library that LLVM's archives refer to but nobody should call.

A link that lets undefined symbols pass shows which these are. Each becomes a label that calls trap() with its
own name.
"""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from elftools.elf.elffile import ELFFile

from bareflow.engine.host_symbols import symbols_of
from bareflow.errors import BareFlowError
from bareflow.kernel.symbol_table import GLOBAL, UNDEFINED, symbol_table


class TrapError(BareFlowError):
    """A function is missing that is not a C library's."""


def undefined(elf: bytes) -> list[str]:
    """The names that a linked ELF uses and does not define, sorted. Weak ones are none: they are 0."""
    return sorted(
        symbol.name
        for symbol in symbol_table(ELFFile(io.BytesIO(elf)))
        if symbol.name and symbol.section == UNDEFINED and symbol.binding == GLOBAL
    )


def source(names: Iterable[str]) -> str:
    """The traps as GNU assembler source. Each keeps the caller's frame, for the backtrace."""
    lines = []
    for index, name in enumerate(names):
        lines += [
            f'.section .text.trap.{name}, "ax", @progbits',
            f".globl {name}",
            f".type {name}, @function",
            f"{name}:",
            "    pushq %rbp",
            "    movq %rsp, %rbp",
            "    andq $-16, %rsp",
            f"    movl $.Ltrap{index}, %edi",
            "    call trap",
            f".size {name}, . - {name}",
            '.section .rodata.traps, "aMS", @progbits, 1',
            f'.Ltrap{index}: .asciz "{name}"',
        ]
    return "\n".join(lines) + "\n"


def check_not_our_own(names: Iterable[str], nm: str, objects: Sequence[Path]) -> None:
    """Raises TrapError when one of our own objects, not only LLVM's archives, wants one of the names."""
    wanted = set(names)
    for path, found in zip(objects, symbols_of(nm, objects), strict=True):
        for name in sorted(found.undefined & wanted):
            raise TrapError(f"{path.name} refers to {name}, which is not defined anywhere")
