"""Traps: found by a link, named, and stopping with their name."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from bareflow.libc.traps import TrapError, check_not_our_own, source, undefined
from bareflow.llvm import llvm_tool

# A program without a C library that calls a function which is not there, and one which is only weakly so. The
# stack is off by 8 when it calls, as it is in assembly that does not care.
PROGRAM = """
.globl _start
.weak perhaps
_start:
    movl $perhaps, %eax
    testl %eax, %eax
    jnz never
    pushq %rax
    call iconv_open
never:
    ud2
"""

# Writes the name to standard error with an aligned vector store on the stack, and exits with 3.
TRAP = """
#include <stddef.h>
static long call(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
void trap(const char *name) {
    _Alignas(16) char copy[16];
    __asm__ volatile("movaps %%xmm0, %0" : "=m"(copy));
    size_t length = 0;
    while (name[length])
        length++;
    call(1, 2, (long)name, (long)length);
    for (;;)
        call(60, 3, 0, 0);
}
"""


def compile_source(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    made = path.with_suffix(".o")
    options = ["-ffreestanding", "-fno-stack-protector", "-O1", "-c"]
    subprocess.run([llvm_tool("clang"), *options, path, "-o", made], check=True)
    return made


def link(output: Path, *inputs: Path, options: tuple[str, ...] = ()) -> Path:
    subprocess.run([llvm_tool("ld.lld"), "-static", *options, *inputs, "-o", output], check=True)
    return output


def test_a_missing_function_names_itself(tmp_path: Path) -> None:
    program = compile_source(tmp_path, "program.s", PROGRAM)
    trap = compile_source(tmp_path, "trap.c", TRAP)
    first = link(tmp_path / "first", program, trap, options=("--unresolved-symbols=ignore-all",))
    names = undefined(first.read_bytes())
    assert names == ["iconv_open"]
    traps = compile_source(tmp_path, "traps.s", source(names))
    complete = link(tmp_path / "complete", program, trap, traps)
    result = subprocess.run([complete], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (3, "iconv_open")


def test_each_has_its_own_name(tmp_path: Path) -> None:
    """The names are merged strings: one that is another's end is no exception."""
    traps = compile_source(tmp_path, "traps.s", source(["open", "reopen", "pen"]))
    trap = compile_source(tmp_path, "trap.c", TRAP)
    for name in ("open", "reopen", "pen"):
        start = compile_source(tmp_path, f"{name}.s", f".globl _start\n_start: call {name}\n")
        program = link(tmp_path / name, start, trap, traps, options=("-O2",))
        result = subprocess.run([program], capture_output=True, text=True, check=False)
        assert result.stderr == name


def test_the_same_source_for_the_same_names() -> None:
    assert source(["a", "b"]) == source(["a", "b"])


def test_our_own_objects_must_be_complete(tmp_path: Path) -> None:
    program = compile_source(tmp_path, "program.s", PROGRAM)
    check_not_our_own(["close"], llvm_tool("llvm-nm"), [program])
    with pytest.raises(TrapError, match=r"program\.o refers to iconv_open"):
        check_not_our_own(["close", "iconv_open"], llvm_tool("llvm-nm"), [program])
