"""Functions of math.h whose results are rounded: programs have the C library's, whatever the arguments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from bareflow.llvm import llvm_tool
from project_files import ROOT

sys.path.append(str(ROOT / "site_scons" / "site_tools"))

from app import CXX_LIBRARY_S, LIBRARY_S
from bitcode import FREESTANDING

# C17 7.12.4 to 7.12.8, without those whose results are exact: in these, libraries differ.
OF_ONE = (
    "acos asin atan cos sin tan acosh asinh atanh cosh sinh tanh exp exp2 expm1 log log10 log1p log2 cbrt "
    "erf erfc lgamma tgamma"
)
OF_TWO = "atan2 hypot pow"
NAMES = f"{OF_ONE} {OF_TWO}".split()
TYPES = {"": "double", "f": "float", "l": "long double"}


def calls(folder: Path, language: str, source: str, *flags: str) -> str:
    """What is left of a program in the compiler's own language."""
    (folder / f"program.{language}").write_text(source)
    command = [llvm_tool("clang"), "-target", "x86_64-unknown-none-elf", "-O2", "-S", "-emit-llvm", "-w"]
    command += [*FREESTANDING, *flags, str(folder / f"program.{language}"), "-o", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def body(module: str, name: str) -> str:
    """Of the function of_NAME."""
    _, _, found = module.partition(f"@of_{name}()")
    return found.partition("\n}\n")[0]


@pytest.mark.parametrize("size", TYPES)
def test_constants_are_not_calculated_by_the_compiler(tmp_path: Path, size: str) -> None:
    kind = TYPES[size]
    lines = []
    for name, parameters, arguments in (
        *((name, kind, "1.25") for name in OF_ONE.split()),
        *((name, f"{kind}, {kind}", "1.25, 2") for name in OF_TWO.split()),
    ):
        lines.append(f"{kind} {name}{size}({parameters}); {kind} of_{name}(void) {{")
        lines.append(f"return {name}{size}({arguments}); }}")
    left = calls(tmp_path, "c", "\n".join(lines), *LIBRARY_S)
    calculated = [name for name in NAMES if f"@{name}{size}(" not in body(left, name)]
    assert calculated == []


def test_headers_of_cxx_have_the_library_s(tmp_path: Path) -> None:
    source = """double of_sin() { return __builtin_sin(1.25); }
float of_powf(float x) { return __builtin_powf(x, 2); }
double of_pow(double x) { return __builtin_pow(2, x); }
"""
    left = calls(tmp_path, "cpp", source, *LIBRARY_S, *CXX_LIBRARY_S)
    for name in ("sin", "powf", "pow"):
        assert f"@{name}(" in left


def test_exact_functions_stay_the_compiler_s(tmp_path: Path) -> None:
    """Their bits are the same everywhere, and one instruction is what they are."""
    source = "double sqrt(double); double fabs(double); double of_sqrt(void) { return sqrt(fabs(-4)); }"
    assert "ret double 2.0" in body(calls(tmp_path, "c", source, *LIBRARY_S), "sqrt")
