"""The version of LLVM that everything is built with, and its programs by the names that Debian gives them."""

from pathlib import Path

VERSION = (Path(__file__).resolve().parents[1] / "llvm_version").read_text().strip()
"""In a file of its own, because the launcher reads it as well."""


def llvm_tool(name: str) -> str:
    """The program of this version: "clang-22" for "clang"."""
    return f"{name}-{VERSION}"
