"""Bitcode of other compilers: what is refused, and that the rest can be linked with the build's own."""

from __future__ import annotations

import subprocess
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


def take(source: Path) -> Path:
    target = source.with_name("taken.bc")
    foreign_bitcode.take(llvm_tool("clang"), llvm_tool("opt"), TRIPLE, source, target)
    return target


@pytest.mark.parametrize("target", ["x86_64-unknown-none", "x86_64-none-elf", "x86_64-unknown-unknown"])
def test_can_be_linked(tmp_path: Path, target: str) -> None:
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


def test_other_targets(tmp_path: Path) -> None:
    with pytest.raises(
        BareFlowError, match=rf"^game.bc: it is for the target 'x86_64-.*-linux-gnu'; .* {TRIPLE}$"
    ):
        take(bitcode(tmp_path, "-target", "x86_64-pc-linux-gnu"))
    with pytest.raises(BareFlowError, match="it is for the target 'aarch64-unknown-none-elf'"):
        take(bitcode(tmp_path, "-target", "aarch64-none-elf"))


def test_other_layout(tmp_path: Path) -> None:
    text = tmp_path / "game.ll"
    text.write_text(f'target datalayout = "E"\ntarget triple = "{TRIPLE}"\n')
    made = tmp_path / "game.bc"
    subprocess.run([llvm_tool("llvm-as"), text, "-o", made], check=True)
    with pytest.raises(BareFlowError, match=r"^game.bc: its data layout is 'E.*', and that of"):
        take(made)


def test_newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older = str(int(VERSION) - 1)
    monkeypatch.setattr(foreign_bitcode, "VERSION", older)
    with pytest.raises(BareFlowError, match=rf"^game.bc: LLVM {VERSION} has made it, .* LLVM {older}$"):
        take(bitcode(tmp_path, "-target", TRIPLE))


def test_damaged(tmp_path: Path) -> None:
    whole = bitcode(tmp_path, "-target", TRIPLE)
    whole.write_bytes(whole.read_bytes()[:700])
    with pytest.raises(BareFlowError, match=rf"^game.bc: LLVM {VERSION} cannot read it: "):
        take(whole)
    whole.write_bytes(b"#!/bin/sh\n")
    with pytest.raises(BareFlowError, match=r"^game.bc: it is no LLVM bitcode$"):
        take(whole)


def test_calls_are_direct(tmp_path: Path) -> None:
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
