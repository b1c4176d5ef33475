"""What bareflow.layouts reads out of C headers is what clang makes of them, for Python and for NASM."""

from __future__ import annotations

import re
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from bareflow import layouts
from bareflow.layouts import NASM_HEADERS, LayoutError, Structure, nasm_path, read_header, write_nasm
from bareflow.llvm import llvm_tool

ROOT = Path(__file__).resolve().parents[2]
NOT_INTEGERS: set[str] = set()
"""Macros of these headers that are left out."""

DECLARATIONS = """
#define ONE 1u /* first */
#define MANY (ONE << 4 | 0x0Full) // and more
#define LESS (MANY - 2 * \\
              ONE)
#define TEXT "1"
#define CALL(x) x

struct inner { /* of 12 bytes,
                * aligned to 4 */
    uint32_t a;
    uint8_t b;
    uint16_t c, d;
};

struct outer {
    uint8_t first;
    struct inner both[2];
    const uint64_t *pointer;
    alignas(16) unsigned char rows[MANY][2];
    char last;
};
"""


def run(*command: str, source: str) -> None:
    subprocess.run(command, input=source, text=True, check=True, cwd=ROOT)


def values_in_c(header: str, expressions: list[str], folder: Path, architecture: str) -> list[int]:
    """What clang makes of integer constant expressions: they become an array's bytes."""
    source = f'#include <stddef.h>\n#include <stdalign.h>\n#include <stdint.h>\n#include "{header}"\n'
    source += f"extern const uint64_t values[];\nconst uint64_t values[] = {{{', '.join(expressions)}}};\n"
    target, flat = folder / "c.o", folder / "c.bin"
    language = "c++" if 'extern "C"' in (ROOT / header).read_text() else "c"
    include = f"-Ikernel_lib/cpu/{architecture}"
    run(llvm_tool("clang"), "-target", f"{architecture}-unknown-none-elf", "-ffreestanding", "-I.", include,
        f"-x{language}", "-c", "-", "-o", str(target), source=source)  # fmt: skip
    run(llvm_tool("llvm-objcopy"), "-O", "binary", "-j", ".rodata", str(target), str(flat), source="")
    return list(struct.unpack(f"<{len(expressions)}Q", flat.read_bytes()))


def values_in_nasm(header: str, expressions: list[str], folder: Path) -> list[int]:
    write_nasm(folder)
    flat, assembly = folder / "nasm.bin", folder / "nasm.asm"
    assembly.write_text(f'%include "{nasm_path(header)}"\n' + "".join(f"dq {e}\n" for e in expressions))
    run("nasm", "-f", "bin", "-Werror", f"-I{folder}/", str(assembly), "-o", str(flat), source="")
    return list(struct.unpack(f"<{len(expressions)}Q", flat.read_bytes()))


def fields_in_python(structure: Structure) -> list[int]:
    return [*(field.offset for field in structure.fields), structure.size]


def headers_of_python() -> set[str]:
    """The headers that the build's Python reads."""
    texts = (path.read_text() for path in (ROOT / "site_scons" / "bareflow").rglob("*.py"))
    return {header for text in texts for header in re.findall(r'\bread_header\("([^"]+)"\)', text)}


def headers_and_architectures() -> Iterator[tuple[str, str]]:
    for path in sorted({*NASM_HEADERS, *headers_of_python()}):
        if "/i386/" not in path:
            yield path, "x86_64"
        if "/x86_64/" not in path and "/jit/" not in path:
            yield path, "i386"


@pytest.mark.parametrize(("path", "architecture"), [*headers_and_architectures()])
def test_same_values_as_in_c(path: str, architecture: str, tmp_path: Path) -> None:
    text = (ROOT / path).read_text()
    constants = [
        name for name in re.findall(r"^#define (\w+) ", text, re.MULTILINE) if name not in NOT_INTEGERS
    ]
    header = read_header(path)
    assert list(header.constants) == constants
    assert len(header.structures) == len(re.findall(r"^struct .*\{$", text, re.MULTILINE))
    in_c, in_nasm, in_python = list(constants), list(constants), list(header.constants.values())
    for structure in header.structures.values():
        names = [field.name for field in structure.fields]
        in_c += [f"offsetof(struct {structure.name}, {name})" for name in names]
        in_c.append(f"sizeof(struct {structure.name})")
        in_nasm += [*(f"{structure.name}.{name}" for name in names), f"{structure.name}_size"]
        in_python += fields_in_python(structure)
        assert struct.calcsize(structure.format) == structure.size
    expected = dict(zip(in_c, values_in_c(path, in_c, tmp_path, architecture), strict=True))
    assert dict(zip(in_c, in_python, strict=True)) == expected
    if path in NASM_HEADERS:
        assert dict(zip(in_c, values_in_nasm(path, in_nasm, tmp_path), strict=True)) == expected


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> layouts.Header:
    monkeypatch.setattr(layouts, "_TOP", tmp_path)
    (tmp_path / "declared.h").write_text(DECLARATIONS)
    read_header.cache_clear()
    layouts.constants_of.cache_clear()
    return read_header("declared.h")


def test_declarations(declared: layouts.Header) -> None:
    assert declared.constants == {"ONE": 1, "MANY": 31, "LESS": 29}
    inner, outer = declared.structures["inner"], declared.structures["outer"]
    assert fields_in_python(inner) == [0, 4, 6, 8, 12]
    assert fields_in_python(outer) == [0, 4, 32, 48, 110, 112]
    assert inner.format == "<IBxHHxx"
    assert outer.format == "<Bxxx24sxxxxQxxxxxxxx62sBx"


def test_pack_and_unpack(declared: layouts.Header) -> None:
    inner = declared.structures["inner"]
    packed = inner.pack(a=0x04030201, b=5, d=0x0B0A, c=0x0807)
    assert packed == bytes([1, 2, 3, 4, 5, 0, 7, 8, 10, 11, 0, 0])
    assert inner.unpack(packed + b"more") == {"a": 0x04030201, "b": 5, "c": 0x0807, "d": 0x0B0A}
    with pytest.raises(ValueError, match="struct inner has other fields"):
        inner.pack(a=1, b=2, c=3)
    with pytest.raises(struct.error):
        inner.unpack(packed[:-1])


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("size_t size;", "struct bad: the size of 'size_t' is not known"),
        (
            "struct other *next;\n    struct other last;",
            "struct bad: the size of 'struct other' is not known",
        ),
        ("uint32_t low : 4;", "struct bad: 'low : 4' is not understood"),
        ("uint8_t bytes[UNKNOWN];", "'UNKNOWN' is no constant that is known"),
        ("union { uint8_t a; };", r"struct bad: 'union \{ uint8_t a' is not understood"),
    ],
)
def test_what_is_not_understood(
    field: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layouts, "_TOP", tmp_path)
    (tmp_path / "bad.h").write_text(f"struct bad {{\n    {field}\n}};\n")
    read_header.cache_clear()
    layouts.constants_of.cache_clear()
    with pytest.raises(LayoutError, match=message):
        read_header("bad.h")
