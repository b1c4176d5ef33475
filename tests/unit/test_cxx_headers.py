"""Headers of C++ for which programs have no library: the compiler says so, and takes them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from bareflow.llvm import llvm_tool
from project_files import ROOT


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("iostream", "programs have no streams of C++: <cstdio> has files, printf and snprintf"),
        ("fstream", "programs have no streams of C++: <cstdio> has files, printf and snprintf"),
        ("thread", "a program is the only thread: there are no others, and no locks"),
        ("vector", ""),
    ],
)
def test_says_what_is_not_there(build_dir: Path, header: str, sentence: str) -> None:
    clang = Path(shutil.which(llvm_tool("clang++")) or "").resolve()
    built = build_dir.parents[1] / "llvm-libc"
    places = [
        *("-I", ROOT / "kernel_lib/hosted/cxx/include"),
        *("-isystem", clang.parents[1] / "include/c++/v1"),
        *("-isystem", ROOT / "kernel_lib/hosted/include"),
        *("-isystem", built / "headers-hosted"),
        *("-isystem", built / "source/libc/include"),
    ]
    options = "-target x86_64-unknown-none-elf -std=c++17 -fno-exceptions -fno-rtti -fsyntax-only -x c++ -"
    command = [str(clang), "-nostdlibinc", "-nostdinc++", *map(str, places), *options.split()]
    source = f"#include <{header}>\n"
    result = subprocess.run(command, input=source, capture_output=True, text=True, check=True)
    assert result.stderr.count(" warning: ") == bool(sentence)
    assert sentence in result.stderr
