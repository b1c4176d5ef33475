"""Which of the C library's functions are embedded as bitcode."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bareflow.engine.inlinable import LARGEST, inlinable, keep_inlinable
from bareflow.llvm import llvm_tool

SOURCE = """
#include <stdarg.h>
extern "C" {
extern int seen[];
static __attribute__((noinline)) int local(int x) { return x ^ seen[0]; }
int small(int x) { return x + 1; }
int uses_local(int x) { return local(x) + 1; }
static int number = 3;
static __thread int own_number = 4;
static const int constants[] = {2, 3, 5, 7};
void set_number(int x) { number = x; own_number = x; }
int *local_variable(void) { return &number; }
int with_assembly(int x) { __asm__ volatile("nop"); return x; }
int with_empty_assembly(int x) { __asm__("" : "+r"(x)); return x; }
int own_variable(void) { return own_number; }
int local_constant(int x) { return constants[x & 3]; }
int sum(int count, ...) {
    va_list list;
    va_start(list, count);
    int first = va_arg(list, int);
    va_end(list);
    return first;
}
int large(int x) { LARGE return x; }
}
namespace libc {
__attribute__((weak)) int helper(int x) { return x * seen[1]; }
}
extern "C" int calls_helper(int x) { return libc::helper(x) + 1; }
extern "C" int other_name(int) __attribute__((alias("large")));
""".replace("LARGE", "".join(f"seen[{place}] += x;" for place in range(LARGEST)))
INLINABLE = {"small", "local_constant", "calls_helper", "with_empty_assembly"}


def module(folder: Path) -> Path:
    made = folder / "module.bc"
    command = [llvm_tool("clang++"), "-x", "c++", "-", "-O1", "-fno-vectorize", "-fno-slp-vectorize"]
    command += ["-emit-llvm", "-c", "-o", str(made)]
    subprocess.run(command, input=SOURCE, text=True, check=True)
    return made


def text_of(bitcode: Path) -> str:
    command = [llvm_tool("opt"), "-S", "-passes=", str(bitcode), "-o", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def names(bitcode: Path) -> dict[str, set[str]]:
    """By letter: T defined, U undefined, and others."""
    output = subprocess.run(
        [llvm_tool("llvm-nm"), bitcode], capture_output=True, text=True, check=True
    ).stdout
    found: dict[str, set[str]] = {}
    for line in output.splitlines():
        *_, letter, name = line.split()
        found.setdefault(letter, set()).add(name)
    return found


def test_which_functions(tmp_path: Path) -> None:
    assert inlinable(text_of(module(tmp_path))) == INLINABLE


def test_the_others_go(tmp_path: Path) -> None:
    bitcode = module(tmp_path)
    keep_inlinable(llvm_tool("opt"), bitcode)
    found = names(bitcode)
    assert found["T"] == INLINABLE
    assert found["U"] == {"_ZN4libc6helperEi"}, "it is called natively"
    assert found["d"] == {"_ZL9constants"}
    assert set(found) == {"T", "U", "d"}
