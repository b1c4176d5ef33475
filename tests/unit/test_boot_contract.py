"""The contracts between loader and kernel say the same in C and in NASM."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = {
    "boot_info": ["boot_info", "boot_memory_region"],
    "kernel_header": ["kernel_header"],
}


def run(*command: str, source: str) -> None:
    subprocess.run(command, input=source, text=True, check=True, cwd=ROOT)


def values_in_c(name: str, expressions: list[str], folder: Path) -> list[int]:
    """What clang makes of integer constant expressions: they become an array's bytes."""
    source = f'#include <stddef.h>\n#include "boot/{name}.h"\n'
    source += f"const uint64_t values[] = {{{', '.join(expressions)}}};\n"
    target = folder / "c.o"
    run("clang-22", "-target", "x86_64-unknown-none-elf", "-std=gnu17", "-ffreestanding", "-I.",
        "-xc", "-c", "-", "-o", str(target), source=source)  # fmt: skip
    flat = folder / "c.bin"
    run("llvm-objcopy-22", "-O", "binary", "-j", ".rodata", str(target), str(flat), source="")
    return list(struct.unpack(f"<{len(expressions)}Q", flat.read_bytes()))


def values_in_nasm(name: str, expressions: list[str], folder: Path) -> list[int]:
    source = f'%include "boot/{name}.inc"\n' + "".join(f"dq {e}\n" for e in expressions)
    flat, assembly = folder / "nasm.bin", folder / "nasm.asm"
    assembly.write_text(source)
    run("nasm", "-f", "bin", "-I./", str(assembly), "-o", str(flat), source="")
    return list(struct.unpack(f"<{len(expressions)}Q", flat.read_bytes()))


def structure_fields(header: str, structure: str) -> list[str]:
    """The names of a structure's fields, in order, as its C declaration has them."""
    body = re.search(rf"struct {structure} \{{\n(.*?)\n\}};", header, re.DOTALL)
    assert body is not None
    code = re.sub(r"/\*.*?\*/", "", body[1], flags=re.DOTALL)
    return re.findall(r"(\w+)(?:\[\w+\])?;", code)


@pytest.mark.parametrize("name", CONTRACTS)
def test_same_layout_and_constants(name: str, tmp_path: Path) -> None:
    header = (ROOT / "boot" / f"{name}.h").read_text()
    in_c = re.findall(r"^#define (\w+) ", header, re.MULTILINE)
    in_nasm = list(in_c)
    assert in_c, "the header's constants were not found"
    for structure in CONTRACTS[name]:
        fields = structure_fields(header, structure)
        assert len(fields) >= 4
        in_c += [f"offsetof(struct {structure}, {field})" for field in fields]
        in_nasm += [f"{structure}.{field}" for field in fields]
        in_c.append(f"sizeof(struct {structure})")
        in_nasm.append(f"{structure}_size")
    c, nasm = values_in_c(name, in_c, tmp_path), values_in_nasm(name, in_nasm, tmp_path)
    assert dict(zip(in_nasm, nasm, strict=True)) == dict(zip(in_nasm, c, strict=True))
