"""bareflow/assembly.py: what the JIT could not compile, for want of an assembler."""

import subprocess
from pathlib import Path

import pytest
from bareflow.engine.assembly import AssemblyError, assembly_in, check_no_assembly
from bareflow.llvm import llvm_tool

HARMLESS = """
int hidden(int x) { __asm__("" : "+r"(x)); __asm__ volatile(""); return x; }
const char *quoted(void) { return "asm \\"nop\\""; }
"""


def bitcode(folder: Path, source: str) -> Path:
    target = folder / "module.bc"
    command = [llvm_tool("clang"), "-x", "c", "-c", "-emit-llvm", "-O1", "-o", str(target), "-"]
    subprocess.run(command, input=source, text=True, check=True)
    return target


def test_empty_assembly_is_none(tmp_path: Path) -> None:
    check_no_assembly(llvm_tool("opt"), bitcode(tmp_path, HARMLESS))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('void f(void) { __asm__ volatile("cli"); }', "cli"),
        ('int f(int x) { __asm__("negl %0" : "+r"(x)); return x; }', "negl"),
        ('__asm__(".globl g");', "globl g"),
    ],
)
def test_assembly_is_an_error(tmp_path: Path, source: str, found: str) -> None:
    with pytest.raises(AssemblyError, match=found):
        check_no_assembly(llvm_tool("opt"), bitcode(tmp_path, source))


def test_every_one_is_named() -> None:
    text = 'call void asm sideeffect inteldialect "hlt", ""()\n%1 = call i32 asm "nop", "=r"()\n'
    assert assembly_in(text) == {"hlt", "nop"}
