"""Bitcode inside the kernel: which of libc's members it takes along, and the table of what it calls."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bareflow.engine.host_symbols import (
    Symbols,
    host_names,
    link_bitcode,
    members_used,
    symbols,
    symbols_of,
    table_source,
)
from bareflow.llvm import llvm_tool

APPLICATION = """
extern int first(int), console(const char *, ...);
static int helper(int x) { return first(x) + 1; }
int app_main(void) { console("%d", helper(2)); return 0; }
"""
MEMBERS = {
    "first": "extern int second(int); int first(int x) { return second(x) * 2; }",
    "second": "extern int error; int second(int x) { return error = x; }",
    "third": "int third(int x) { return x; }",
}
# Prints the table in its order, with what each function returns for 5.
PRINTER = """
#include <stddef.h>
#include <stdio.h>
extern const struct { const char *name; int (*address)(int); } jit_host_symbols[];
extern const size_t jit_host_symbol_count;
int alpha(int x) { return x + 1; }
int alphabet(int x) { return x + 2; }
int Zulu(int x) { return x + 3; }
int main(void) {
    for (size_t i = 0; i < jit_host_symbol_count; i++)
        printf("%s %d\\n", jit_host_symbols[i].name, jit_host_symbols[i].address(5));
}
"""


def bitcode(folder: Path, name: str, text: str) -> Path:
    source, made = folder / f"{name}.c", folder / f"{name}.bc"
    source.write_text(text)
    command = [llvm_tool("clang"), "-O0", "-emit-llvm", "-c", str(source), "-o", str(made)]
    subprocess.run(command, check=True)
    return made


def test_what_the_application_uses_comes_along(tmp_path: Path) -> None:
    application = bitcode(tmp_path, "application", APPLICATION)
    members = [bitcode(tmp_path, name, text) for name, text in MEMBERS.items()]
    assert symbols(llvm_tool("llvm-nm"), application).undefined == {"first", "console"}
    chosen = members_used(llvm_tool("llvm-nm"), application, members)
    assert [path.stem for path in chosen] == ["first", "second"]
    libc = tmp_path / "libc.bc"
    link_bitcode(llvm_tool("llvm-link"), chosen, libc)
    assert host_names(llvm_tool("llvm-nm"), application, libc) == {"first", "second", "console", "error"}


def test_symbols_of_many_files(tmp_path: Path) -> None:
    """With names of files that have spaces and colons in them, in the order that is asked for."""
    folder = tmp_path / "a folder: of mine"
    folder.mkdir()
    texts = {
        "b: it is": "extern int weak(void) __attribute__((weak)); int first(void) { return weak(); }",
        "a": "int second; extern int first(void); int third(void) { return first(); }",
        "nothing": "",
    }
    files = [bitcode(folder, name, text) for name, text in texts.items()]
    first = Symbols(frozenset({"first"}), frozenset({"weak"}), frozenset({"weak"}))
    second = Symbols(frozenset({"second", "third"}), frozenset({"first"}))
    empty = Symbols(frozenset(), frozenset())
    assert symbols_of(llvm_tool("llvm-nm"), files) == [first, second, empty]
    assert symbols_of(llvm_tool("llvm-nm"), files[::-1]) == [empty, second, first]
    assert symbols_of(llvm_tool("llvm-nm"), []) == []


def test_table(tmp_path: Path) -> None:
    """Sorted as strcmp sorts: upper case first, a prefix before what it begins."""
    table, printer, program = tmp_path / "table.s", tmp_path / "printer.c", tmp_path / "program"
    table.write_text(table_source({"alphabet", "Zulu", "alpha"}))
    printer.write_text(PRINTER)
    subprocess.run([llvm_tool("clang"), "-no-pie", printer, table, "-o", program], check=True)
    output = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert output == "Zulu 8\nalpha 6\nalphabet 7\n"
