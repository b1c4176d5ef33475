"""Small ELF files for the tests of what reads them, made by the real assembler and linker."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bareflow.llvm import llvm_tool

SCRIPT = """
PHDRS { text PT_LOAD FLAGS(5); data PT_LOAD FLAGS(6); }
SECTIONS {
    . = 1M;
    .text : { KEEP(*(.header)) *(.text) } :text
    . = ALIGN(4096);
    .data : { *(.data) file_end = .; } :data
    .bss : { *(.bss) } :data
    end = .;
}
"""


def link(folder: Path, assembly: str, *, name: str = "tiny") -> Path:
    """Assembles NASM source and links it at 1 MiB."""
    source, script = folder / f"{name}.asm", folder / "tiny.ld"
    object_file, elf = folder / f"{name}.o", folder / f"{name}.elf"
    source.write_text(assembly)
    script.write_text(SCRIPT)
    subprocess.run(["nasm", "-f", "elf64", source, "-o", object_file], check=True)
    options = ["-static", "-e", "start", "-z", "max-page-size=4096", "-T", str(script)]
    subprocess.run([llvm_tool("ld.lld"), *options, str(object_file), "-o", str(elf)], check=True)
    return elf
