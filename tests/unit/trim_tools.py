"""Small programs for the tests of the trim: compiled by clang, linked by lld, run on this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from bareflow.coverage.coverage_file import CoveredFunction
from bareflow.kernel.link_map import read_map
from bareflow.llvm import llvm_tool
from bareflow.trim.dead_functions import DeadFunctions
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

NO_RELOCATION = 0  # R_X86_64_NONE
FLAGS = ["-O1", "-ffunction-sections", "-fdata-sections", "-fno-pic", "-fno-exceptions", "-fno-rtti"]


def compiled(folder: Path, name: str, source: str, *flags: str) -> Path:
    """An object of C, C++ or assembly source; the name has the source's suffix."""
    path = folder / name
    path.write_text(source)
    target = path.with_suffix(".o")
    subprocess.run(
        [llvm_tool("clang"), *FLAGS, *flags, "-c", path.name, "-o", target.name], cwd=folder, check=True
    )
    return target


def archived(folder: Path, name: str, objects: Sequence[Path]) -> Path:
    """A static library."""
    path = folder / name
    subprocess.run([llvm_tool("llvm-ar"), "rcsD", path, *objects], check=True)
    return path


def linked(folder: Path, inputs: Sequence[Path], *, name: str = "program") -> tuple[Path, Path]:
    """A static program of the inputs and the C library, and its map."""
    program, link_map = folder / name, folder / f"{name}.map"
    linker = subprocess.run(
        ["which", llvm_tool("ld.lld")], capture_output=True, text=True, check=True
    ).stdout.strip()
    options = [
        f"--ld-path={linker}",
        "-static",
        "-Wl,--gc-sections,--no-demangle",
        f"-Wl,-Map,{link_map.name}",
    ]
    files = [str(path.relative_to(folder)) for path in inputs]
    subprocess.run([llvm_tool("clang"), *options, *files, "-o", program.name], cwd=folder, check=True)
    return program, link_map


def coverage(link_map: Path, hit: set[str]) -> list[CoveredFunction]:
    """What a run would have recorded in which just the functions `hit` ran, of all objects and libraries of
    the test."""
    with link_map.open() as lines:
        return [
            CoveredFunction(section.file, section.name, symbol.name, symbol.name in hit)
            for section in read_map(lines)
            if section.name.startswith(".text") and not section.file.startswith(("/", "libc.a", "libgcc"))
            for symbol in section.symbols
            if symbol.size
        ]


def dead(*functions: tuple[str, str, str], alive: Sequence[tuple[str, str, str]] = ()) -> DeadFunctions:
    """Functions by file, section and symbol; the ids of the dead are 1, 2, ..."""
    known = [CoveredFunction(*key, hit=False) for key in functions]
    return DeadFunctions([*known, *(CoveredFunction(*key, hit=True) for key in alive)])


class ParsedObject:
    """An object as pyelftools sees it."""

    def __init__(self, path: Path) -> None:
        self._file = ELFFile.load_from_path(str(path))

    def contents(self, section: str) -> bytes:
        """Of the only section of this name."""
        (found,) = [entry for entry in self._file.iter_sections() if entry.name == section]
        return bytes(found.data())

    def alignment(self, section: str) -> int:
        """Of the only section of this name."""
        (found,) = [entry for entry in self._file.iter_sections() if entry.name == section]
        return int(found["sh_addralign"])

    def references(self, section: str) -> list[str]:
        """Names of the symbols that a section's relocations refer to, less those that are none."""
        table = self._file.get_section_by_name(f".rela{section}")
        if table is None:
            return []
        assert isinstance(table, RelocationSection)
        symbols = self._file.get_section(table["sh_link"])
        assert isinstance(symbols, SymbolTableSection)
        return [
            symbols.get_symbol(entry["r_info_sym"]).name
            for entry in table.iter_relocations()
            if entry["r_info_type"] != NO_RELOCATION
        ]

    def code_at(self, symbol: str, size: int) -> bytes:
        """The first bytes at a symbol of a linked program."""
        table = self._file.get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        (found,) = [entry for entry in table.iter_symbols() if entry.name == symbol]
        section = self._file.get_section(found["st_shndx"])
        start = found["st_value"] - section["sh_addr"]
        return bytes(section.data()[start : start + size])

    def addresses(self) -> dict[str, int]:
        """Of all symbols."""
        table = self._file.get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        return {symbol.name: int(symbol["st_value"]) for symbol in table.iter_symbols()}

    def symbols(self) -> set[str]:
        """Names of all symbols."""
        return set(self.addresses())
