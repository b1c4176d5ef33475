"""The check of a trimmed kernel notices each thing that can be wrong with it."""

from __future__ import annotations

import shutil
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from bareflow.coverage.coverage_file import CoveredFunction
from bareflow.kernel.link_map import read_map
from bareflow.llvm import llvm_tool
from bareflow.trim.check import TrimCheckError, check
from bareflow.trim.dead_functions import DeadFunctions
from bareflow.trim.removed import (
    Emptied,
    Removed,
    read_emptied,
    read_removed,
    write_emptied,
    write_removed,
)
from bareflow.trim.stub_names import LinkedStubs, table_source
from bareflow.trim.trim_object import trim_object
from bareflow.trim.trimming import Trimming
from trim_tools import ParsedObject, archived, compiled

LIBRARY = """
int other(int);
int alive(int x) { if (x == 1) return 2; return other(other(other(x) + 1) * 3); }
int gone(int x) { return other(x) * 3 + 17; }
"""
SCRIPT = """
SECTIONS {
    . = 1M;
    .text : { *(.text .text.*) }
    .rodata : { *(.rodata .rodata.*) }
    .symbols : { KEEP(*(.symbols)) *(.symbols.removed) }
    .data : { *(.data .data.*) }
    .bss : { *(.bss .bss.*) }
    /DISCARD/ : { *(.eh_frame) *(.comment) *(.note*) }
}
"""
MAIN = """
extern const char removed_names[];
int alive(int), gone(int), variable = 3, zero;
const int constant[4] = {1, 2, 3, 4};
int other(int x) { return x + constant[variable & 3] + zero; }
const char *start(void) { return alive(1) + gone(2) + other(3) ? removed_names : 0; }
"""
GONE = ("liba.a(a.o)", ".text.gone", "gone")
ALIVE = ("liba.a(a.o)", ".text.alive", "alive")


@dataclass
class Kernel:
    """What the check gets."""

    folder: Path
    library: Path

    def link(self, script: str = SCRIPT) -> None:
        (self.folder / "kernel.ld").write_text(script)
        names = self.folder / "names.o"
        options = ["-T", "kernel.ld", "-e", "start", "--gc-sections", "-Map", "kernel.map"]
        inputs = ["main.o", self.library.name]
        command = [
            llvm_tool("ld.lld"),
            *options,
            *inputs,
            *([names.name] if names.exists() else []),
            "-o",
            "kernel.elf",
        ]
        if not names.exists():
            command.append("--defsym=removed_names=0")
        subprocess.run(command, cwd=self.folder, check=True)

    def tables(self, removed: list[Removed]) -> None:
        with (self.folder / "kernel.map").open() as lines:
            stubs = LinkedStubs(read_map(lines), removed)
        compiled(self.folder, "names.s", table_source(stubs.names), "-Wno-unused-command-line-argument")
        (self.folder / "removed.jsonl").write_text(write_removed(removed))
        self.link()

    def check(self) -> None:
        names = ("kernel.elf", "kernel.map", "removed.jsonl", "emptied.jsonl")
        elf, link_map, removed, emptied = (str(self.folder / name) for name in names)
        check(elf, link_map, removed, emptied, [str(self.library)])


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    compiled(tmp_path, "main.c", MAIN)
    plain = compiled(tmp_path, "a.c", LIBRARY)
    shutil.copy(plain, tmp_path / "untrimmed.o")
    size = len(ParsedObject(plain).contents(".text.alive"))
    known = [
        CoveredFunction(*GONE, hit=False),
        CoveredFunction(*ALIVE, True, 1, ((8, size),), zlib.crc32(plain.read_bytes())),
    ]
    functions = DeadFunctions(known, Trimming(in_parts=["liba.a"]))
    trimmed, stubs, emptied = trim_object(plain.read_bytes(), GONE[0], functions)
    (tmp_path / "emptied.jsonl").write_text(write_emptied(emptied))
    plain.write_bytes(trimmed)
    made = Kernel(tmp_path, archived(tmp_path, "liba.a", [plain]))
    made.link()
    made.tables([Removed(stub.id, stub.size, stub.file, stub.section, "gone") for stub in stubs])
    return made


def removed_of(kernel: Kernel) -> list[Removed]:
    return read_removed((kernel.folder / "removed.jsonl").read_text())


def test_good_kernel(kernel: Kernel) -> None:
    kernel.check()


def rename(kernel: Kernel) -> None:
    """The table of what was removed calls the function something else than the kernel's."""
    (entry,) = removed_of(kernel)
    (kernel.folder / "removed.jsonl").write_text(write_removed([replace(entry, symbol="other_name")]))


def other_id(kernel: Kernel) -> None:
    (entry,) = removed_of(kernel)
    (kernel.folder / "removed.jsonl").write_text(write_removed([replace(entry, id=99)]))


def forget(kernel: Kernel) -> None:
    (kernel.folder / "removed.jsonl").write_text("")


def not_trimmed(kernel: Kernel) -> None:
    """The function is still in the archive, with what it refers to."""
    shutil.copy(kernel.folder / "untrimmed.o", kernel.folder / "a.o")
    archived(kernel.folder, "liba.a", [kernel.folder / "a.o"])
    kernel.link()


def other_part(kernel: Kernel) -> None:
    """The table of emptied functions says more than was done."""
    (entry,) = read_emptied((kernel.folder / "emptied.jsonl").read_text())
    ((begin, end),) = entry.parts
    text = write_emptied([Emptied(entry.file, entry.section, ((begin - 2, end),))])
    (kernel.folder / "emptied.jsonl").write_text(text)


def only_linked(kernel: Kernel) -> None:
    """The object is as it should be, the kernel was linked of another one."""
    trimmed = kernel.library.read_bytes()
    not_trimmed(kernel)
    kernel.library.write_bytes(trimmed)


def no_names(kernel: Kernel) -> None:
    kernel.tables([])
    (kernel.folder / "removed.jsonl").write_text(write_removed([Removed(1, 20, *GONE)]))


def unwind_tables(kernel: Kernel) -> None:
    kernel.link(
        SCRIPT.replace("*(.eh_frame) ", "").replace(".data :", ".eh_frame : { *(.eh_frame) } .data :")
    )


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (rename, "the table calls the stub of other_name gone"),
        (other_id, "no stub with id 99"),
        (forget, "is a stub that nobody has removed"),
        (not_trimmed, r"\.text\.gone refers to something"),
        (not_trimmed, r"a removed part of \.text\.alive refers to something"),
        (not_trimmed, r"a removed part of \.text\.alive is not INT3"),
        (other_part, r"a removed part of \.text\.alive is not INT3"),
        (only_linked, r"\.text\.alive\) at 0x[0-9a-f]+: a removed part is not INT3"),
        (no_names, "id 1 is in the table of names or among the stubs, not in both"),
        (unwind_tables, r"has a section \.eh_frame"),
    ],
)
def test_what_is_wrong(kernel: Kernel, break_it: Callable[[Kernel], None], message: str) -> None:
    break_it(kernel)
    with pytest.raises(TrimCheckError, match=message):
        kernel.check()


INNER = """
.section .text.alive,"ax"
.globl alive
.type alive, @function
alive: jmp .text.gone+3
.size alive, . - alive
.section .text.gone,"ax"
.globl gone
.type gone, @function
gone: .byte 0x0f, 0x0b, 1, 0, 0, 0
.size gone, . - gone
"""


def test_reference_into_a_stub(kernel: Kernel) -> None:
    made = compiled(kernel.folder, "a.s", INNER)
    archived(kernel.folder, "liba.a", [made])
    kernel.link()
    with pytest.raises(TrimCheckError, match=r"\.text\.alive refers into the stub \.text\.gone"):
        kernel.check()
