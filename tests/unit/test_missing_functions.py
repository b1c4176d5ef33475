"""A program that calls what is not there is told so by its source's name."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from bareflow.errors import BareFlowError
from bareflow.llvm import llvm_tool
from bareflow.missing_functions import check

SOURCES = {
    "main.c": "int puts(const char *); int helper(void); int unknown(void) __attribute__((weak));"
    'int main(void) { return puts("") + helper() + (unknown ? unknown() : 0); }',
    "helper.c": "int popen(void); int system_of(void); int helper(void) { return popen() + system_of(); }",
    "library.c": "int puts(const char *text) { return !text; }",
}


def test_missing_functions(tmp_path: Path) -> None:
    objects = []
    for name, text in SOURCES.items():
        (tmp_path / name).write_text(text)
        objects.append(tmp_path / f"{name}.bc")
        command = [llvm_tool("clang"), "-flto", "-c", str(tmp_path / name), "-o", str(objects[-1])]
        subprocess.run(command, check=True)
    nm, library = llvm_tool("llvm-nm"), objects.pop()
    message = r"^helper\.c needs popen, system_of, which neither the program nor the C library has$"
    with pytest.raises(BareFlowError, match=message):
        check(nm, ["main.c", "helper.c"], objects, [library])
    (tmp_path / "helper.c").write_text("int helper(void) { return 0; }")
    subprocess.run([llvm_tool("clang"), "-flto", "-c", tmp_path / "helper.c", "-o", objects[1]], check=True)
    check(nm, ["main.c", "helper.c"], objects, [library])
