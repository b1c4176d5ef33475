"""The contracts between loader and kernel say the same in C and in NASM, and in Python too."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path

import pytest
from bareflow.disk import boot_slots

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = {
    "boot_info": ["boot_info", "boot_memory_region"],
    "boot_slots": ["boot_slots"],
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


def test_boot_slots_in_python(tmp_path: Path) -> None:
    names = ("SLOT_NEWEST", "SLOT_FALLBACK", "SLOT_NONE", "SLOT_ATTEMPTS", "SLOTS_LBA", "SLOTS_MAGIC")
    fields = ("magic", "version", "slot", "attempts", "requested", "check")
    expressions = [f"BOOT_{name}" for name in names]
    expressions += [f"offsetof(struct boot_slots, {field})" for field in fields]
    values = values_in_c("boot_slots", [*expressions, "sizeof(struct boot_slots)"], tmp_path)
    newest, fallback, none, attempts, lba, magic, *offsets, size = values
    assert (boot_slots.NEWEST, boot_slots.FALLBACK, boot_slots.NONE) == (newest, fallback, none)
    assert (boot_slots.ATTEMPTS, boot_slots.LBA) == (attempts, lba)

    record = boot_slots.BootSlots(fallback, 2, newest).encode()
    ends = [*offsets[1:], size]
    found = [int.from_bytes(record[a:b], "little") for a, b in zip(offsets, ends, strict=True)]
    state = 1 | fallback << 8 | 2 << 16 | newest << 24
    assert found == [magic, 1, fallback, 2, newest, state ^ 0xFFFFFFFF]
    assert len(record) == size
    assert boot_slots.BootSlots() == boot_slots.BootSlots(newest, attempts, none)


def test_boot_slots_are_read_back_or_refused() -> None:
    record = boot_slots.BootSlots(boot_slots.FALLBACK, 1, boot_slots.NEWEST)
    sector = record.encode().ljust(512, b"\xa5")
    assert boot_slots.decode(sector) == record
    for bit in range(12 * 8):
        changed = bytearray(sector)
        changed[bit // 8] ^= 1 << bit % 8
        assert boot_slots.decode(bytes(changed)) is None
    assert boot_slots.decode(boot_slots.BootSlots(slot=2).encode()) is None
