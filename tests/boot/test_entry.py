"""entry.asm of x86-64 and linker.ld: the kernel's first instructions and its layout."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from bareflow.kernel.kernel_file import kernel_from_elf, parse_header
from bareflow.llvm import llvm_tool
from elftools.elf.constants import P_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from fixture_types import Boot
from loader_disk import GUESTS, KERNEL, ROOT, LoaderDisk, assemble, include_folders

CPU = ROOT / "kernel_lib" / "cpu" / "x86_64"
PAGE = 4096
KERNEL_BASE = 0x100000
STACK_SIZE = 64 << 10


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """entry.asm with loader_guests/start.asm for a kernel, linked by linker.ld."""
    folder = tmp_path_factory.mktemp("entry")
    objects = []
    for source in (CPU / "entry.asm", GUESTS / "start.asm"):
        target = folder / f"{source.stem}.o"
        subprocess.run(["nasm", "-f", "elf64", *include_folders(), source, "-o", target], check=True)
        objects.append(target)
    program, script = folder / "kernel.elf", CPU.parent / "linker.ld"
    subprocess.run([llvm_tool("ld.lld"), "--gc-sections", "-T", script, *objects, "-o", program], check=True)
    return program


def test_entered_in_64_bit_mode(boot: Boot, elf: Path, tmp_path: Path) -> None:
    disk = LoaderDisk.create(tmp_path / "disk.img", {KERNEL: kernel_from_elf(elf.read_bytes())})
    guest = boot(disk)
    assert guest.wait_exit() == 0
    assert guest.serial == "kernel_start called\n"


def test_entered_in_32_bit_mode(boot: Boot, elf: Path, tmp_path: Path) -> None:
    kernel = tmp_path / "kernel.krn"
    kernel.write_bytes(kernel_from_elf(elf.read_bytes()))
    sector = tmp_path / "disk.img"
    sector.write_bytes(assemble(GUESTS / "enter_32_bit.asm"))
    guest = boot(sector, extra=["-device", f"loader,file={kernel},addr={KERNEL_BASE:#x},force-raw=on"])
    guest.expect("^error: the CPU is in 32-bit mode; the kernel must be entered in 64-bit mode\n")
    assert "kernel_start" not in guest.serial


def test_layout(elf: Path) -> None:
    """The header in front; code, constants and data on pages of their own, none writable and executable."""
    header = parse_header(kernel_from_elf(elf.read_bytes()))
    with elf.open("rb") as file:
        program = ELFFile(file)
        table = program.get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        symbols = {symbol.name: symbol["st_value"] for symbol in table.iter_symbols()}
        segments = [(s["p_vaddr"], s["p_flags"]) for s in program.iter_segments("PT_LOAD")]

    assert symbols["__kernel_start"] == symbols["__text_start"] == header.load_address == KERNEL_BASE
    read = P_FLAGS.PF_R
    assert segments == [
        (symbols["__text_start"], read | P_FLAGS.PF_X),
        (symbols["__rodata_start"], read),
        (symbols["__data_start"], read | P_FLAGS.PF_W),
    ]
    ranges = [
        symbols[f"__{name}"]
        for name in ("text_start", "text_end", "rodata_start", "rodata_end", "data_start")
    ]
    assert ranges == sorted(ranges)
    assert all(address % PAGE == 0 for address in ranges)
    assert symbols["__rodata_start"] <= symbols["well"] < symbols["kernel_symbols"] < symbols["__rodata_end"]
    assert symbols["__data_start"] <= symbols["data"] < symbols["__data_end"]
    assert symbols["__bss_start"] <= symbols["bss"] <= symbols["__bss_end"] - 20000

    guard = symbols["__stack_guard"]
    assert guard % PAGE == 0
    assert guard >= symbols["__bss_end"]
    assert symbols["__stack_bottom"] == guard + PAGE
    assert symbols["__stack_top"] == symbols["__stack_bottom"] + STACK_SIZE
    assert symbols["__kernel_end"] == symbols["__stack_top"]
    assert header.memory_size == symbols["__kernel_end"] - KERNEL_BASE
    assert header.entry == symbols["kernel_entry"]
