"""The kernel's table for unwinding, against what pyelftools makes of the same .eh_frame."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from bareflow.kernel.symbols import functions
from bareflow.kernel.unwind_table import Code, Row, UnwindError, read_rows, rows_of, table_source
from bareflow.llvm import llvm_tool
from elftools.dwarf.callframe import FDE
from elftools.elf.elffile import ELFFile

SOURCE = """
extern int other(int, int);
int leaf(int a) { return a * 3; }
int deep(int a, int b, int c, int d) {
    int sum = other(a, b);
    for (int i = 0; i < c; i++)
        sum += other(sum + d, i) * other(i, a) + other(b, c);
    return sum == 7 ? other(1, 2) : sum;
}
int stacked(int a) { volatile char room[300]; room[a] = 1; other(a, a); return room[0]; }
int moving(int a) { volatile char *room = __builtin_alloca(a); room[a] = 1; other(a, 2); return room[1]; }
int many(int, int, int, int, int, int, int, int, int);
int pushes(int a) { return many(a, a, a, a, a, a, 7, 8, 9) + 1; }
"""
SCRIPT = "SECTIONS { .eh_frame 0 (INFO) : { KEEP(*(.eh_frame)) } . = 1M; .text : { *(.text .text.*) } }"
RBP, RSP = 6, 7


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unwind")
    (folder / "source.c").write_text(SOURCE)
    (folder / "others.c").write_text("int other(int a, int b) { return a ^ b; } int many() { return 1; }")
    (folder / "script.ld").write_text(SCRIPT)
    flags = ["-target", "x86_64-pc-linux-gnu", "-O2", "-fomit-frame-pointer", "-fasynchronous-unwind-tables"]
    for name in ("source", "others"):
        command = [llvm_tool("clang"), *flags, "-w", "-fno-pic", "-c", f"{name}.c", "-o", f"{name}.o"]
        subprocess.run(command, cwd=folder, check=True)
    link = [
        llvm_tool("ld.lld"),
        "-static",
        "-T",
        "script.ld",
        "--entry=0",
        "source.o",
        "others.o",
        "-o",
        "linked.elf",
    ]
    subprocess.run(link, cwd=folder, check=True)
    return folder / "linked.elf"


def unpack(source: str) -> tuple[list[int], bytes]:
    """The numbers of the blocks and the bytes of a table's source."""
    lines = source.splitlines()
    blocks = [int(line.split()[1]) for line in lines if line.startswith("    .long")]
    data = [line.split()[1].split(",") for line in lines if line.startswith("    .byte")]
    return blocks, bytes(int(number) for numbers in data for number in numbers)


def decode(data: bytes, addresses: list[int]) -> dict[int, list[Row]]:
    """As kernel_lib/debug/eh_frame/unwind_table.c reads it."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            value |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
            if data[at - 1] < 0x80:
                return value

    found = {}
    for address in addresses:
        words = saved = 0
        begin, rows = address, []
        for _ in range(number()):
            begin += number()
            change = number()
            words += -(change >> 3) if change & 4 else change >> 3
            saved = number() if change & 1 else saved
            rows.append(Row(begin, bool(change & 2), words * 8, saved * 8))
        found[address] = rows
    assert at == len(data)
    return found


def test_same_as_another_reader(elf: Path) -> None:
    data = elf.read_bytes()
    code = Code(data)
    addresses = [function.address for function in functions(data)]
    blocks, packed = unpack(table_source(addresses, rows_of(str(elf), llvm_tool("llvm-dwarfdump")), code))
    assert blocks == [0]
    table = decode(packed, addresses)
    seen = set()
    end_of_pops = 0
    for entry in ELFFile(io.BytesIO(data)).get_dwarf_info().EH_CFI_entries():
        if not isinstance(entry, FDE):
            continue
        lines = entry.get_decoded().table
        end = entry.header["initial_location"] + entry.header["address_range"]
        for line, after in zip(lines, [*(line["pc"] for line in lines[1:]), end], strict=True):
            for address in range(line["pc"], after):
                end_of_pops = code.end_of_pops(address) or end_of_pops
                if address < end_of_pops:
                    continue  # the code says it
                row = [row for row in table[entry.header["initial_location"]] if row.address <= address][-1]
                register = RBP if row.by_frame_pointer else RSP
                assert (register, row.size) == (line["cfa"].reg, line["cfa"].offset), hex(address)
                saved = -line[RBP].arg if RBP in line else 0
                assert row.saved == saved, hex(address)
                seen.add((register, row.size))
    assert {register for register, _ in seen} == {RBP, RSP}
    assert len(seen) > 6


def test_functions_without_rows() -> None:
    blocks, packed = unpack(table_source(range(130), {}, None))
    assert (blocks, packed) == ([0, 64, 128], bytes(130))


def test_what_the_kernel_cannot_do() -> None:
    lines = [
        "00000018 00000024 0000001c FDE cie=00000000 pc=00100000...00100010",
        "  0x100000: CFA=RSI+8: RIP=[CFA-8]",
    ]
    with pytest.raises(UnwindError, match="CFA=RSI"):
        read_rows(lines)
