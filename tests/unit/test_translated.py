"""What QEMU has translated: bits laid out by hand, and the plugin itself on a guest of known code."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from bareflow.coverage.translated import CodeRange, Plugin, TranslatedCode, TranslatedError, common
from bareflow.llvm import llvm_tool
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine
from project_files import ROOT

START = 0x1000


def bits(*ranges: tuple[int, int]) -> int:
    """Of the bytes in these ranges."""
    return sum(1 << at for begin, end in ranges for at in range(begin, end))


def test_what_no_run_has_translated() -> None:
    code = TranslatedCode(CodeRange(START, 200), [bits((0, 10), (100, 101)), bits((30, 60), (100, 110))])
    assert code.unused(START, 200) == ((10, 30), (60, 100), (110, 200))
    assert code.unused(START + 5, 30) == ((5, 25),), "relative to the function"
    assert code.unused(START + 20, 10) == (), "too short to be worth it"
    assert code.unused(START + 14, 16) == ((0, 16),)
    assert code.unused(START + 30, 30) == ()
    assert code.unused(START + 190, 20) == () == code.unused(START - 1, 50), "not in the range"


def test_common() -> None:
    assert common(((0, 10), (20, 30)), ((5, 25), (28, 40))) == ((5, 10), (20, 25), (28, 30))
    assert common(((0, 10),), ((10, 20),)) == ()


# A boot sector. What jumps over code, what is behind a branch that is never taken, and a loop.
SOURCE = """
bits 16
org 0x7C00
start:  xor ax, ax
        jmp over
dead:   times 20 nop
over:   mov cx, 3
again:  loop again
        test ax, ax
        jnz never
        mov dx, 0xF4
        out dx, al              ; ends QEMU, within a translated block
        jmp $
never:  times 30 inc ax
        times 510 - ($ - $$) db 0
        dw 0xAA55
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plugin") / "with, comma.so"
    source = ROOT / "site_scons" / "qemu_plugin" / "translated.c"
    subprocess.run([llvm_tool("clang"), "-shared", "-fPIC", source, "-o", path], check=True)
    return path


def test_plugin(tmp_path: Path, plugin: Path) -> None:
    (tmp_path / "a.asm").write_text(SOURCE)
    image, listing = tmp_path / "a.img", tmp_path / "a.lst"
    subprocess.run(["nasm", "-f", "bin", "a.asm", "-o", image, "-l", listing], cwd=tmp_path, check=True)
    with image.open("r+b") as disk:
        disk.truncate(1 << 20)
    watched = Plugin(plugin, CodeRange(0x7C00, 510))
    output = tmp_path / "translated, too"
    with Guest(Machine(image, extra=watched.arguments(output))) as guest:
        guest.wait_end()
    code = TranslatedCode(watched.code, [watched.read(output)])
    # The lengths, from Intel's SDM: 2 + 2 (short jump), 20, 3 + 2 + 2 + 2 (short) + 3 + 1 + 2.
    assert code.unused(0x7C00, 100) == ((4, 24), (39, 100)), listing.read_text()


def test_plugin_that_did_not_write(tmp_path: Path) -> None:
    watched = Plugin(tmp_path / "x.so", CodeRange(0, 100))
    with pytest.raises(TranslatedError, match="QEMU has not written which code it translated"):
        watched.read(tmp_path / "none")
    (tmp_path / "short").write_bytes(bytes(12))
    with pytest.raises(TranslatedError, match="is 12 bytes for 100 bytes of code"):
        watched.read(tmp_path / "short")
