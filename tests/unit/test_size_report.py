"""size.json: to which part each byte of a linked kernel goes."""

from __future__ import annotations

import io
from pathlib import Path

from bareflow.kernel.kernel_file import kernel_from_elf
from bareflow.kernel.link_map import InputSection
from bareflow.kernel.symbol_table import symbol_table
from bareflow.llvm import llvm_tool
from bareflow.report.size_report import defined_symbols, owners, report, sections_by_part
from elf_tools import link
from elftools.elf.elffile import ELFFile
from test_kernel_file import KERNEL

CODE = """
section .text
times 15 db 0x90
global middle:function
middle: times 32 db 0x90
read.7: times 16 db 0x90
section .data
table: dq 1, 2
section .bss
buffer: resb 100
"""


def test_bytes_by_part(tmp_path: Path) -> None:
    elf = link(tmp_path, KERNEL.format(signature="0x464C5544") + CODE).read_bytes()
    parts = {"app": {"start", "table", "both"}, "libc": {"middle", "read", "both"}}
    result = report(elf, kernel_from_elf(elf), parts)
    assert result["kernel_file_bytes"] == 4096 + 4 + 16
    assert result["resident_bytes"] == 4096 + 4 + 16 + 10100
    sizes = result["parts"]
    assert isinstance(sizes, dict)
    assert sizes["app"]["text"] == 16  # start's hlt, and what follows up to `middle`
    assert sizes["libc"]["text"] == 48  # `middle` and the renamed local `read.7`
    assert sizes["other"]["text"] == 80  # the header, to a multiple of 16
    assert sum(part["text"] for part in sizes.values()) == 80 + 16 + 48


def test_a_name_of_two_parts_is_nobodys() -> None:
    assert owners({"a": {"x", "y"}, "b": {"y"}}) == {"x": "a", "y": "other"}


def test_defined_symbols(tmp_path: Path) -> None:
    elf = link(tmp_path, KERNEL.format(signature="0x464C5544") + CODE)
    assert {"start", "middle", "table", "buffer"} <= defined_symbols(llvm_tool("llvm-nm"), [elf])


def test_sections_of_archives_and_of_groups_of_objects() -> None:
    sections = [
        InputSection(0x2000, 8, ".text", "obj/jit/start.o", ".text.main"),
        InputSection(0x1000, 16, ".text", "libz.a(inflate.o)", ".text"),
        InputSection(0x3000, 0, ".text", "libz.a(deflate.o)", ".text"),
        InputSection(0x4000, 4, ".text", "native.o", ".text"),
        InputSection(0x5000, 4, ".data", "QUAD ( 0 )", ""),
    ]
    found = sections_by_part(sections, {"obj/jit/start.o": "engine"})
    assert found == [(0x1000, 16, "libz.a"), (0x2000, 8, "engine")]


def test_a_section_counts_for_its_part_whatever_is_in_it(tmp_path: Path) -> None:
    elf = link(tmp_path, KERNEL.format(signature="0x464C5544") + CODE).read_bytes()
    parts = {"app": {"start"}, "libc": {"middle", "read"}}
    middle = next(symbol for symbol in symbol_table(ELFFile(io.BytesIO(elf))) if symbol.name == "middle")
    library = (middle.value, 40, "libz.a")  # `middle`, and 8 bytes of the local behind it
    sizes = report(elf, kernel_from_elf(elf), parts, [library])["parts"]
    assert isinstance(sizes, dict)
    assert sizes["libz.a"]["text"] == 48  # in code, up to the next symbol or section
    assert sizes["libc"]["text"] == 0
