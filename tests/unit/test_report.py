"""What the report page is made of."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from bareflow.coverage.coverage_file import CoveredFunction
from bareflow.kernel.link_map import InputSection, MapSymbol
from bareflow.llvm import llvm_tool
from bareflow.report.report import ReportError, data, first_use, page, runs, tiers
from bareflow.report.report_sizes import Loss, function_of, libraries, library_of, losses, losses_by_library
from bareflow.trim.removed import Emptied


def section(file: str, name: str, size: int, output: str = ".text") -> InputSection:
    symbols = [MapSymbol(0, size, name.rpartition(".")[2])]
    return InputSection(0x100000, size, output, file, name, symbols)


SECTIONS = [
    section("libA.a(a.o)", ".text.f", 100),
    section("libA.a(a.o)", ".text.g", 50),
    section("libA.a(b.o)", ".rodata.t", 30, ".rodata"),
    section("libB.a(c.o)", ".text.h", 7),
    section("bareflow.native.o", ".text.panic", 20),
    section("bareflow.native.o", ".bss.heap", 4096, ".bss"),
    section("<internal>", ".strtab", 999, ".strtab"),
]


def test_libraries() -> None:
    ran = {("libA.a(a.o)", ".text.f"): True, ("libA.a(a.o)", ".text.g"): False}
    found = libraries(SECTIONS, ran, {"panic": "kernel_lib"})
    assert set(found) == {"libA.a", "libB.a", "kernel_lib", "kernel"}, "what is not loaded does not count"
    assert found["libA.a"].bytes == {"text": 150, "rodata": 30, "data": 0, "bss": 0}
    assert found["libA.a"].functions == [("f", 100, "ran"), ("g", 50, "did not run")]
    assert found["libB.a"].functions == [("h", 7, "unknown")]
    assert found["kernel"].bytes["bss"] == 4096


@pytest.mark.parametrize(
    ("file", "name", "library"),
    [
        ("libLLVMCore.a(Value.cpp.o)", ".text.f", "libLLVMCore.a"),
        ("obj/kernel_lib/jit/engine/engine.o", ".text.f", "engine"),
        ("embedded/app.o", ".rodata.app_bitcode", "application as bitcode"),
        ("bareflow.kernel.symbols.o", ".symbols", "names of functions"),
        ("<internal>", ".rodata.str1.1", "strings of all libraries"),
        ("bareflow.native.o", ".text.strlen", "libc"),
    ],
)
def test_library_of(file: str, name: str, library: str) -> None:
    assert library_of(section(file, name, 1), {"strlen": "libc"}) == library


def test_function_of() -> None:
    assert function_of(SECTIONS[0]) == "f"
    symbols = [MapSymbol(0, 10, "g"), MapSymbol(10, 5, "h")]
    assert function_of(InputSection(0, 15, ".text", "z.a(z.o)", ".text.h", symbols)) == "g"
    assert (
        function_of(InputSection(0, 15, ".text", "z.a(z.o)", ".text", symbols)) == "2 functions of z.a(z.o)"
    )
    assert function_of(InputSection(0, 15, ".text", "z.a(z.o)", ".text", [])) == ".text"


def test_losses() -> None:
    """One function is a stub, one gone, one lacks parts; what is no function of a library does not count."""
    trimmed = [section("libA.a(a.o)", ".text.f", 100), section("libA.a(a.o)", ".text.g", 6)]
    emptied = [
        Emptied("libA.a(a.o)", ".text.f", ((10, 30), (40, 60))),
        Emptied("libB.a(c.o)", ".text.h", ((0, 2),)),  # which was not linked
    ]
    found = losses(SECTIONS, trimmed, emptied)
    assert found == [
        Loss("libA.a", "f", 100, 0, 40),
        Loss("libA.a", "g", 50, 44, 0),
        Loss("libB.a", "h", 7, 7, 0),
    ]
    assert losses_by_library(found) == {
        "libA.a": {
            "functions": 2,
            "bytes": 150,
            "removed_functions": 1,
            "removed_bytes": 44,
            "emptied_bytes": 40,
        },
        "libB.a": {
            "functions": 1,
            "bytes": 7,
            "removed_functions": 1,
            "removed_bytes": 7,
            "emptied_bytes": 0,
        },
    }


def test_runs() -> None:
    assert runs("12 a story\n15 another one\n") == [[12, "a story"], [15, "another one"]]


def test_first_use() -> None:
    """Aliases are one piece of code; a function that did not run has no place in the order."""
    functions = [
        CoveredFunction("a.o", ".text.c", "C1", True, 2),
        CoveredFunction("a.o", ".text.c", "C2", True, 2),
        CoveredFunction("a.o", ".text.f", "f", True, 1),
        CoveredFunction("a.o", ".text.g", "g", False),
    ]
    sizes = {("a.o", ".text.c"): 10, ("a.o", ".text.f"): 5, ("a.o", ".text.g"): 70}
    assert first_use(functions, sizes) == [[0, 0], [3, 15]]


def test_tiers() -> None:
    event = {"event": "tier", "function": "step", "level": "O1", "ms": 12}
    assert tiers(f'text\n@bareflow {json.dumps(event)}\n@bareflow {{"event":"exit","code":0}}\n') == [event]


def test_page_holds_the_data_and_nothing_from_elsewhere() -> None:
    contents = {"variants": {"full": {"libraries": [{"name": "</script><b>"}]}}}
    html = page(contents)
    match = re.search(r'<script id="data" type="application/json">(.*?)</script>', html, re.DOTALL)
    assert match is not None and json.loads(match[1]) == contents
    assert not re.search(r"(?:src|href)\s*=|@import|url\(|fetch\(", html)


def test_nothing_built(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="nothing is built"):
        data(tmp_path, llvm_tool("llvm-nm"), llvm_tool("llvm-cxxfilt"), {})
