"""A program as this machine's compiler and C library run it: what others are compared with."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bareflow.llvm import llvm_tool


def run_on_host(source: Path, folder: Path, *arguments: str) -> tuple[int, bytes]:
    """Compiles the file, or a folder's C files, and runs the program in `folder`; its exit status and
    standard output."""
    program = folder / "program"
    sources = sorted(source.glob("*.c")) if source.is_dir() else [source]
    # Every function is called, not evaluated by the compiler.
    options = ["-O1", "-fno-builtin", "-frounding-math", "-w"]
    if source.suffix == ".cpp":
        options += ["-std=c++17", "-lstdc++"]
    subprocess.run([llvm_tool("clang"), *options, *sources, "-lm", "-o", program], check=True)
    result = subprocess.run([program, *arguments], cwd=folder, capture_output=True, timeout=60, check=False)
    return result.returncode, result.stdout
