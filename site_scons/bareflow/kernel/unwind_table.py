"""From a link's .eh_frame to the kernel's own table of where functions keep their callers' return addresses.

Of the libraries, which are compiled without frame pointers. LLVM's tools evaluate the section; what they find
is packed as kernel_lib/debug/eh_frame/unwind_table.c reads it. Pops before a return are left out: they are
seen in the code.
"""

import io
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from elftools.elf.elffile import ELFFile

from bareflow.errors import BareFlowError
from bareflow.leb128 import leb128

_BLOCK = 64
"""UNWIND_BLOCK in unwind_table.c."""
_WORD = 8
_FUNCTION = re.compile(r"^[0-9a-f]+ .* FDE .* pc=([0-9a-f]+)\.\.\.")
_ROW = re.compile(
    r"^  0x([0-9a-f]+): CFA=(RSP|RBP)\+(\d+): (?:.*\bRBP=\[CFA-(\d+)\], )?.*RIP=\[CFA-8\](?:,|$)"
)
_SOME_ROW = re.compile(r"^  0x[0-9a-f]+: ")
_END = re.compile(rb"(?:[\x58-\x5b\x5d-\x5f]|\x41[\x58-\x5f])*\xc3")
"""POP and RET; not of RSP."""
_BYTE_LIST = 32


class UnwindError(BareFlowError):
    """A library unwinds in a way that the kernel cannot."""


@dataclass(frozen=True)
class Row:
    """How to find the caller's frame, from an address of code on."""

    address: int
    by_frame_pointer: bool
    """Whether `size` counts from RBP instead of RSP."""
    size: int
    """Bytes up to the caller's RSP."""
    saved: int
    """Bytes from there down to the caller's RBP; 0: it is still in RBP."""


def read_rows(lines: Iterable[str]) -> dict[int, list[Row]]:
    """The rows of each function, by its address, from what `llvm-dwarfdump --eh-frame` prints."""
    rows: dict[int, list[Row]] = {}
    current: list[Row] = []
    for line in lines:
        # There are so many lines that the patterns are tried with few.
        if line.startswith("  0x"):
            if match := _ROW.match(line):
                address, register, size, saved = match.groups()
                current.append(Row(int(address, 16), register == "RBP", int(size), int(saved or 0)))
            elif _SOME_ROW.match(line):
                raise UnwindError(f".eh_frame says what the kernel does not understand: {line.strip()}")
        elif " FDE " in line and (match := _FUNCTION.match(line)):
            current = rows[int(match[1], 16)] = []
    return rows


def rows_of(elf: str, dwarfdump: str) -> dict[int, list[Row]]:
    """The same of a linked ELF that has its .eh_frame."""
    command = [dwarfdump, "--eh-frame", elf]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        rows = read_rows(running.stdout)
    if running.returncode:
        raise UnwindError(f"{dwarfdump} failed")
    return rows


class Code:
    """The bytes of a linked ELF's .text, by address."""

    def __init__(self, elf: bytes) -> None:
        section = ELFFile(io.BytesIO(elf)).get_section_by_name(".text")
        if section is None:
            raise UnwindError("the ELF has no .text")
        self._bytes = section.data()
        self._start = int(section["sh_addr"])

    def end_of_pops(self, address: int) -> int | None:
        """The address behind the pops and the return that begin at an address, None when there are others."""
        match = _END.match(self._bytes, address - self._start)
        return match.end() + self._start if match else None


def without_ends(rows: Sequence[Row], code: Code) -> list[Row]:
    """The rows that are not about the pops before a return; the one that follows is left out too when it says
    what the one before them does."""
    kept: list[Row] = []
    end = 0
    for row in rows:
        if row.address < end:
            continue
        shrinks = kept and not row.by_frame_pointer and row.size < kept[-1].size
        behind = code.end_of_pops(row.address) if shrinks else None
        if behind is not None:
            end = behind
            continue
        last = kept[-1] if kept else None
        if last is None or row != Row(row.address, last.by_frame_pointer, last.size, last.saved):
            kept.append(row)
    return kept


def _packed(address: int, rows: Sequence[Row]) -> Iterator[int]:
    yield from leb128(len(rows))
    words = saved = 0
    for row in rows:
        new_words, new_saved = row.size // _WORD, row.saved // _WORD
        change = new_words - words
        sign, saves = int(change < 0), int(new_saved != saved)
        yield from leb128(row.address - address)
        yield from leb128(abs(change) << 3 | sign << 2 | row.by_frame_pointer << 1 | saves)
        if saves:
            yield from leb128(new_saved)
        address, words, saved = row.address, new_words, new_saved


def table_source(addresses: Sequence[int], rows: Mapping[int, Sequence[Row]], code: Code | None) -> str:
    """The table as GNU assembler source, for functions in the order of the kernel's table of them."""
    packed = bytearray()
    blocks = []
    for index, address in enumerate(addresses):
        if index % _BLOCK == 0:
            blocks.append(len(packed))
        kept = without_ends(rows[address], code) if code and address in rows else []
        packed += bytes(_packed(address, kept))
    lines = [".balign 4", ".globl kernel_unwind_blocks", "kernel_unwind_blocks:"]
    lines += [f"    .long {block}" for block in blocks]
    lines += [".globl kernel_unwind", "kernel_unwind:"]
    for at in range(0, len(packed), _BYTE_LIST):
        lines.append(f"    .byte {','.join(map(str, packed[at : at + _BYTE_LIST]))}")
    return "\n".join(lines) + "\n"
