"""The table of function names that the kernel carries."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from bareflow.kernel.symbol_table import SymbolError
from bareflow.kernel.symbols import (
    Function,
    check_same_functions,
    functions,
    load_address,
    pack_bits,
    readable,
    table_source,
    without_numbers,
)
from bareflow.llvm import llvm_tool
from elf_tools import link

SOURCE = """
section .text
global start:function
start: nop
.loop: jmp .loop
times {gap} nop
helper: ret
global alias
alias:
global typed:function
typed: ret
section .data
variable: dd 1
"""


@pytest.fixture
def elf(tmp_path: Path) -> bytes:
    return link(tmp_path, SOURCE.format(gap=13)).read_bytes()


def assembled(folder: Path, source: str) -> bytes:
    """The section .symbols of assembler source."""
    text, table, binary = folder / "table.s", folder / "table.o", folder / "table.bin"
    text.write_text(source)
    subprocess.run(
        [llvm_tool("clang"), "-target", "x86_64-unknown-none-elf", "-c", text, "-o", table], check=True
    )
    subprocess.run([llvm_tool("llvm-objcopy"), "-O", "binary", "-j", ".symbols", table, binary], check=True)
    return binary.read_bytes()


def test_functions_only_one_name_each(elf: bytes) -> None:
    assert functions(elf) == [
        Function(0x100000, "start"),
        Function(0x100010, "helper"),
        Function(0x100011, "typed"),
    ]


def test_table_as_the_kernel_reads_it(elf: bytes, tmp_path: Path) -> None:
    assert load_address(elf) == 0x100000
    table = assembled(tmp_path, table_source(functions(elf), ["start", "helper", "ns::typed"], 0x100000))
    names = b"start\0helper\0ns::typed\0"
    unsized, covered = bytes([0b111]), bytes([0])  # NASM says no sizes
    assert table == struct.pack("<4I", 3, 0, 0x10, 0x11) + names + unsized + covered


def test_many_names(tmp_path: Path) -> None:
    names = [f"function_{number}" for number in range(10000)]
    found = [Function(0x100000 + number, name) for number, name in enumerate(names)]
    table = assembled(tmp_path, table_source(found, names, 0x100000))
    (count,) = struct.unpack_from("<I", table)
    assert count == len(names)
    plain = b"".join(name.encode() + b"\0" for name in names)
    at = 4 + 4 * count
    assert table[at : at + len(plain)] == plain
    assert len(table) - at - len(plain) == -(-count // 8) + 1


def test_sized_functions(tmp_path: Path) -> None:
    source = SOURCE.format(gap=13).replace("start:function", "start:function (start.end - start)")
    source = source.replace(".loop: jmp .loop", ".loop: jmp .loop\n.end:")
    elf = link(tmp_path, source).read_bytes()
    assert [function.sized for function in functions(elf)] == [True, False, False]


def test_bits_lowest_first() -> None:
    assert pack_bits([True, False, False, True, False, False, False, False, True]) == bytes([0b1001, 1])


def test_readable_names() -> None:
    mangled = [
        "main",
        "_ZN11__llvm_libc11printf_core6WriterILNS0_9WriteModeE0EE5writeEcm",
        "_ZN12_GLOBAL__N_11fEv",
    ]
    assert readable(mangled, llvm_tool("llvm-cxxfilt")) == ["main", "printf_core::Writer::write", "f"]


def test_moved_functions_are_noticed(elf: bytes, tmp_path: Path) -> None:
    check_same_functions(elf, elf)
    moved = link(tmp_path, SOURCE.format(gap=14), name="moved").read_bytes()
    with pytest.raises(SymbolError, match="moved functions"):
        check_same_functions(elf, moved)


def test_numbers_of_lto_are_left_out() -> None:
    names = ["find.12", "find", "operator.", "x.llvm", "a1.7.3"]
    assert without_numbers(names) == ["find", "find", "operator.", "x.llvm", "a1.7"]
