"""Programs of the toolchain are told apart by their bytes, whatever their dates say."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from bareflow import tool_identity
from bareflow.llvm import llvm_tool
from bareflow.tool_identity import ToolError, Tools


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler on the PATH that counts how often it is called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return write(folder / "compiler", "one")


def write(path: Path, version: str) -> Path:
    path.write_text(f'#!/bin/sh\necho called >> "$0.calls"\necho "{version} $*"\n')
    path.chmod(0o755)
    return path


def calls(program: Path) -> int:
    log = program.with_name(f"{program.name}.calls")
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_answers_are_remembered(program: Path, tmp_path: Path) -> None:
    memory = tmp_path / "build" / "memory"
    assert Tools(memory).answer("compiler", "--version") == "one --version"
    assert Tools(memory).answer("compiler", "--version") == "one --version"
    assert calls(program) == 1
    assert Tools(memory).answer("compiler", "--where", "a b") == "one --where a b"
    assert Tools(memory).answer("compiler", "--version") == "one --version"
    assert calls(program) == 2


def test_bytes_are_read_once(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Tools(tmp_path / "memory").digest("compiler")
    monkeypatch.setattr(Tools, "_hash", None)
    assert Tools(tmp_path / "memory").digest("compiler") == first


@pytest.mark.parametrize("in_place", [True, False])
def test_another_program_of_equal_date_and_size(program: Path, tmp_path: Path, in_place: bool) -> None:
    before = os.stat(program)
    tools = Tools(tmp_path / "memory")
    assert tools.answer("compiler", "x") == "one x"
    write(program if in_place else tmp_path / "new", "two")
    if not in_place:
        (tmp_path / "new").replace(program)
    os.utime(program, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = os.stat(program)
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    again = Tools(tmp_path / "memory")
    assert again.digest("compiler") != tools.digest("compiler")
    assert again.answer("compiler", "x") == "two x"


def test_the_same_program_in_another_place(program: Path, tmp_path: Path) -> None:
    """The hash is that of the bytes: a shared cache serves several machines."""
    digest = Tools(tmp_path / "memory").digest("compiler")
    copy = tmp_path / "elsewhere" / "compiler"
    copy.parent.mkdir()
    shutil.copyfile(program, copy)
    copy.chmod(0o755)
    program.unlink()
    program.symlink_to(copy)
    assert Tools(tmp_path / "memory").digest("compiler") == digest


def test_libraries_of_llvm_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiler is a small program in front of large libraries."""
    libraries = [Path(path) for path in tool_identity._libraries(shutil.which(llvm_tool("clang")) or "")]
    assert any(path.name.startswith("libLLVM") for path in libraries)
    assert any(path.name.startswith("libclang") for path in libraries)
    fake = tmp_path / "libLLVM.so"
    fake.write_text("one")
    monkeypatch.setattr(tool_identity, "_libraries", lambda program: [str(fake)])
    before = Tools(tmp_path / "memory").digest("nasm")
    fake.write_text("two")
    assert Tools(tmp_path / "memory").digest("nasm") != before


def test_no_program_and_one_that_fails(program: Path, tmp_path: Path) -> None:
    tools = Tools(tmp_path / "memory")
    with pytest.raises(ToolError, match="there is no program no-such-compiler"):
        tools.digest("no-such-compiler")
    program.write_text("#!/bin/sh\necho 'it is broken' >&2\nexit 3\n")
    with pytest.raises(ToolError, match="compiler -x failed: it is broken"):
        tools.answer("compiler", "-x")


@pytest.mark.parametrize("text", ["", "{", "[]"[:1]])
def test_a_damaged_memory_is_forgotten(program: Path, tmp_path: Path, text: str) -> None:
    memory = tmp_path / "memory"
    memory.write_text(text)
    assert Tools(memory).answer("compiler") == "one"
