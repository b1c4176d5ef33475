"""Bitcode of other compilers: what is refused, and that the rest can be linked with the build's own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from bareflow.engine import foreign_bitcode
from bareflow.errors import BareFlowError
from bareflow.llvm import VERSION, llvm_tool

TRIPLE = "x86_64-unknown-none-elf"
SOURCE = "int twice(int x) { return 2 * x; } int main(void) { return twice(4); }"


def bitcode(folder: Path, *options: str) -> Path:
    made = folder / "game.bc"
    (folder / "game.c").write_text(SOURCE)
    command = [llvm_tool("clang"), "-c", "-emit-llvm", *options, str(folder / "game.c"), "-o", str(made)]
    subprocess.run(command, check=True)
    return made


Take = Callable[[Path], Path]
"""What makes the bitcode that is linked."""


@pytest.fixture
def take(plugin: Path) -> Take:
    def taken(source: Path) -> Path:
        target = source.with_name("taken.bc")
        foreign_bitcode.take(llvm_tool("clang"), llvm_tool("opt"), plugin, TRIPLE, source, target)
        return target

    return taken


@pytest.mark.parametrize("target", ["x86_64-unknown-none", "x86_64-none-elf", "x86_64-unknown-unknown"])
def test_can_be_linked(tmp_path: Path, take: Take, target: str) -> None:
    taken = take(bitcode(tmp_path, "-target", target, "-mcmodel=kernel", "-fPIE", "-O1"))
    own = tmp_path / "own.bc"
    flags = ["-target", TRIPLE, "-mcmodel=small", "-fno-pic", "-c", "-emit-llvm", "-x", "c"]
    subprocess.run([llvm_tool("clang"), *flags, "-", "-o", str(own)], input=b"int own;", check=True)
    command = [llvm_tool("llvm-link"), "-S", str(taken), str(own), "-o", "-"]
    linked = subprocess.run(command, capture_output=True, text=True, check=True)
    assert linked.stderr == ""
    assert f'target triple = "{TRIPLE}"' in linked.stdout
    groups = [line for line in linked.stdout.splitlines() if line.startswith("attributes #")]
    assert groups
    assert all(" noredzone " in line and '"frame-pointer"="all"' in line for line in groups)


def test_other_targets(tmp_path: Path, take: Take) -> None:
    with pytest.raises(
        BareFlowError, match=rf"^game.bc: it is for the target 'x86_64-.*-linux-gnu'; .* {TRIPLE}$"
    ):
        take(bitcode(tmp_path, "-target", "x86_64-pc-linux-gnu"))
    with pytest.raises(BareFlowError, match="it is for the target 'aarch64-unknown-none-elf'"):
        take(bitcode(tmp_path, "-target", "aarch64-none-elf"))


def test_other_layout(tmp_path: Path, take: Take) -> None:
    text = tmp_path / "game.ll"
    text.write_text(f'target datalayout = "E"\ntarget triple = "{TRIPLE}"\n')
    made = tmp_path / "game.bc"
    subprocess.run([llvm_tool("llvm-as"), text, "-o", made], check=True)
    with pytest.raises(BareFlowError, match=r"^game.bc: its data layout is 'E.*', and that of"):
        take(made)


def test_newer(tmp_path: Path, take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    older = str(int(VERSION) - 1)
    monkeypatch.setattr(foreign_bitcode, "VERSION", older)
    with pytest.raises(BareFlowError, match=rf"^game.bc: LLVM {VERSION} has made it, .* LLVM {older}$"):
        take(bitcode(tmp_path, "-target", TRIPLE))


def test_damaged(tmp_path: Path, take: Take) -> None:
    whole = bitcode(tmp_path, "-target", TRIPLE)
    whole.write_bytes(whole.read_bytes()[:700])
    with pytest.raises(BareFlowError, match=rf"^game.bc: LLVM {VERSION} cannot read it: "):
        take(whole)
    whole.write_bytes(b"#!/bin/sh\n")
    with pytest.raises(BareFlowError, match=r"^game.bc: it is no LLVM bitcode$"):
        take(whole)


def test_calls_are_direct(tmp_path: Path, take: Take) -> None:
    """Not through a table of addresses, as Rust's are."""
    text = tmp_path / "game.ll"
    own = bitcode(tmp_path, "-target", TRIPLE, "-O1")
    head = subprocess.run([llvm_tool("llvm-dis"), own, "-o", "-"], capture_output=True, text=True, check=True)
    layout = next(line for line in head.stdout.splitlines() if line.startswith("target datalayout"))
    text.write_text(
        f'{layout}\ntarget triple = "{TRIPLE}"\ndeclare void @f() #0\n'
        "define i32 @main() #0 {\n call void @f() #0\n ret i32 0\n}\n"
        "attributes #0 = { nonlazybind nounwind }\n"
        '!llvm.module.flags = !{!0}\n!0 = !{i32 2, !"RtLibUseGOT", i32 1}\n'
    )
    subprocess.run([llvm_tool("llvm-as"), text, "-o", own], check=True)
    taken = subprocess.run([llvm_tool("llvm-dis"), take(own), "-o", "-"], capture_output=True, check=True)
    assert b"nounwind" in taken.stdout
    assert b"nonlazybind" not in taken.stdout and b"!{!0}" not in taken.stdout


MATHEMATICS = """
declare double @llvm.sin.f64(double)
declare double @pow(double, double)
declare double @llvm.maxnum.f64(double, double)
declare double @llvm.fmuladd.f64(double, double, double)
define double @of_sin() {
  %x = call double @llvm.sin.f64(double 1.25)
  ret double %x
}
define double @of_pow() {
  %x = call double @pow(double 1.25, double 2.0)
  ret double %x
}
define double @of_maxnum() {
  %x = call double @llvm.maxnum.f64(double -0.0, double 0.0)
  ret double %x
}
define double @of_fmuladd() {
  %x = call double @llvm.fmuladd.f64(double 1.1, double 1.3, double 1.7)
  ret double %x
}
"""


def test_mathematics_is_the_library_s(tmp_path: Path, take: Take) -> None:
    own, text = bitcode(tmp_path, "-target", TRIPLE), tmp_path / "game.ll"
    head = subprocess.run([llvm_tool("llvm-dis"), own, "-o", "-"], capture_output=True, text=True, check=True)
    target = [line for line in head.stdout.splitlines() if line.startswith("target ")]
    text.write_text("\n".join(target) + MATHEMATICS)
    subprocess.run([llvm_tool("llvm-as"), text, "-o", own], check=True)
    command = [llvm_tool("opt"), "-O2", "-S", str(take(own)), "-o", "-"]
    left = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert all(f"call double @{name}(double" in left for name in ("sin", "pow", "fmax"))
    assert (1.1 * 1.3 + 1.7).hex() == (3.13).hex()  # the fused product is the number above that
    assert "ret double 3.130000e+00" in left
