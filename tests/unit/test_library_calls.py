"""Functions of math.h whose results are rounded: programs have the C library's, whatever the arguments."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from bareflow.llvm import llvm_tool
from project_files import ROOT

sys.path.append(str(ROOT / "site_scons" / "site_tools"))

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


@pytest.mark.parametrize("prefix", ["", "__builtin_"])
@pytest.mark.parametrize("size", TYPES)
def test_constants_are_not_calculated_by_the_compiler(
    tmp_path: Path, plugin: Path, size: str, prefix: str
) -> None:
    kind = TYPES[size]
    lines = []
    for name, parameters, arguments in (
        *((name, kind, "1.25") for name in OF_ONE.split()),
        *((name, f"{kind}, {kind}", "1.25, 2") for name in OF_TWO.split()),
    ):
        lines.append(f"{kind} {name}{size}({parameters}); {kind} of_{name}(void) {{")
        lines.append(f"return {prefix}{name}{size}({arguments}); }}")
    left = calls(tmp_path, "c", "\n".join(lines), f"-fpass-plugin={plugin}")
    calculated = [name for name in NAMES if f"@{name}{size}(" not in body(left, name)]
    assert calculated == []


OF_ELEMENTS = "acos asin atan cos sin tan cosh sinh tanh exp exp2 exp10 log log10 log2"


@pytest.mark.parametrize(("kind", "size"), [("float", "f"), ("double", ""), ("_Float16", "f")])
def test_elements_of_vectors(tmp_path: Path, plugin: Path, kind: str, size: str) -> None:
    lines = [f"typedef {kind} four __attribute__((ext_vector_type(4)));"]
    numbers = "(four){0.25f, 0.5f, 0.75f, 0.875f}"
    for name in OF_ELEMENTS.split():
        lines.append(f"four of_{name}(void) {{ return __builtin_elementwise_{name}({numbers}); }}")
    lines.append(f"four of_pow(void) {{ return __builtin_elementwise_pow({numbers}, (four)2.0f); }}")
    left = calls(tmp_path, "c", "\n".join(lines), f"-fpass-plugin={plugin}")
    found = [body(left, name).count(f"@{name}{size}(") for name in [*OF_ELEMENTS.split(), "pow"]]
    assert found == [4] * len(found)


def test_calls_by_address(tmp_path: Path, plugin: Path) -> None:
    source = """double sin(double);
static double call(double (*function)(double)) { return function(1.25); }
double of_sin(void) { return call(sin); }
"""
    assert "@sin(double" in body(calls(tmp_path, "c", source, f"-fpass-plugin={plugin}"), "sin")


def test_own_function_of_that_name(tmp_path: Path, plugin: Path) -> None:
    source = """static double sin(double x) { return x + 1; }
double own(double x) { return sin(x); }
double of_sin(void) { return __builtin_elementwise_sin(1.25); }
"""
    left = calls(tmp_path, "c", source, f"-fpass-plugin={plugin}")
    assert "@sin(double" in body(left, "sin") and "declare double @sin(double)" in left
    assert "fadd double %0, 1.0" in left


def test_integer_powers_are_products(tmp_path: Path, plugin: Path) -> None:
    """As the compiler's library multiplies (compiler-rt, powidf2.c)."""
    expected, square, left = 1.0, 1.1, 37
    while left:
        expected = expected * square if left & 1 else expected
        square *= square
        left >>= 1
    assert expected != 1.1**37
    source = """double of_plus(void) { return __builtin_powi(1.1, 37); }
double of_minus(void) { return __builtin_powi(1.1, -37); }
double of_zero(void) { return __builtin_powi(1.1, 0); }
double of_any(double x, int power) { return __builtin_powi(x, power); }
"""
    found = calls(tmp_path, "c", source, f"-fpass-plugin={plugin}")
    for name, value in (("plus", expected), ("minus", 1 / expected)):
        (bits,) = struct.unpack("<Q", struct.pack("<d", value))
        assert f"ret double 0x{bits:016X}" in body(found, name)
    assert "ret double 1.0" in body(found, "zero")
    assert "@__powidf2(double" in found


def test_headers_of_cxx_have_the_library_s(tmp_path: Path, plugin: Path) -> None:
    source = """double of_sin() { return __builtin_sin(1.25); }
float of_powf(float x) { return __builtin_powf(x, 2); }
double of_pow(double x) { return __builtin_pow(2, x); }
"""
    left = calls(tmp_path, "cpp", source, f"-fpass-plugin={plugin}")
    for name in ("sin", "powf", "pow"):
        assert f"@{name}(" in left


@pytest.mark.parametrize("language", ["c", "cpp"])
def test_exact_functions_stay_the_compiler_s(tmp_path: Path, plugin: Path, language: str) -> None:
    """Their bits are the same everywhere, and one instruction is what they are."""
    source = "double of_sqrt(void) { return __builtin_sqrt(__builtin_fabs(-4)); }"
    if language == "cpp":
        source = f'extern "C" {source}'
    left = calls(tmp_path, language, source, f"-fpass-plugin={plugin}")
    assert "ret double 2.0" in body(left, "sqrt")
