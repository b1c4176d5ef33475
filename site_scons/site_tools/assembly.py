"""SCons tool: options of NASM, and the include files that are made of C headers for it."""

from pathlib import Path
from typing import Any

import SCons.Scanner
from bareflow.layouts import NASM_HEADERS, nasm_path, nasm_source, read_header
from SCons.Subst import Literal

_INCLUDE = r'^[ \t]*(?:%include|.*\bincbin)[ \t]+"([^"]+)"'


def _make_include(target: list[Any], source: list[Any], env: Any) -> None:
    Path(target[0].abspath).write_text(nasm_source(read_header(source[0].path)))


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.Replace(
        GENERATED=Literal(f"{env.Dir('$BUILD_ROOT').path}/"),
        ASFLAGS=["-f", "$NASM_FORMAT", "-I", "./", "-I", "$GENERATED", "-Werror"],
        ASCOMSTR=env.Quiet("NASM", "$SOURCE"),
        NASM_PATH=["#", "$BUILD_ROOT", "#boot/$arch"],
    )
    scanner = SCons.Scanner.Classic("NasmScan", [".asm", ".inc"], "NASM_PATH", _INCLUDE)
    env.Append(SCANNERS=[scanner])
    SCons.Tool.SourceFileScanner.add_scanner(".asm", scanner)
    for header in NASM_HEADERS:
        step = env.Step(_make_include, "LAYOUT")
        env.Command(f"$BUILD_ROOT/{nasm_path(header)}", f"#{header}", step)
