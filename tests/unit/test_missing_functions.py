"""Functions that a program calls and nobody has: which, who calls them, and why they are not there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from bareflow.errors import BareFlowError
from bareflow.llvm import llvm_tool
from bareflow.missing_functions import check


def bitcode(folder: Path, name: str, text: str) -> Path:
    source, target = folder / name, folder / f"{name}.bc"
    source.write_text(text)
    target_flags = ["-target", "x86_64-unknown-none-elf", "-fno-exceptions"]
    subprocess.run([llvm_tool("clang"), *target_flags, "-c", "-emit-llvm", source, "-o", target], check=True)
    return target


def check_programs(folder: Path, library: str, **sources: str) -> None:
    names = [name.replace("_", ".") for name in sources]
    objects = [bitcode(folder, name, text) for name, text in zip(names, sources.values(), strict=True)]
    there = bitcode(folder, "library.c", library)
    check(llvm_tool("llvm-nm"), llvm_tool("llvm-cxxfilt"), names, objects, [there])


def test_all_is_there(tmp_path: Path) -> None:
    main = (
        "int puts(const char *); int more(void); int unknown(void) __attribute__((weak));"
        "int main(void) { return puts(0) + more() + (unknown ? unknown() : 0); }"
    )
    check_programs(
        tmp_path, "int puts(const char *s) { return 0; }", main_c=main, more_c="int more(void) { return 1; }"
    )
    check_programs(tmp_path, "", main_c="int app_main(void) { return 0; }")


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ("fork", "there are no other programs to start or to wait for"),
        ("popen", "there are no other programs to start or to wait for"),
        ("pthread_create", "the program is the only thread"),
        ("socket", "there is no network"),
        ("dlopen", "all code is linked before the program runs"),
        ("fstat", "files are opened by fopen"),
        ("mmap", "memory comes from malloc"),
        ("frobnicate", None),
    ],
)
def test_missing(tmp_path: Path, function: str, why: str | None) -> None:
    other = f"int {function}(int); int other(void) {{ return {function}(1); }}"
    with pytest.raises(BareFlowError) as error:
        check_programs(tmp_path, "", main_c="int main(void) { return 0; }", other_c=other)
    because = f": {why}" if why else ""
    expected = f"other.c needs {function}, which neither the program nor the C library has{because}"
    assert str(error.value) == expected


def test_names_are_readable(tmp_path: Path) -> None:
    text = "namespace game { int score(long); } int fork(); int main() { return game::score(2) + fork(); }"
    with pytest.raises(BareFlowError, match=r"^main.cpp needs fork\(\), game::score\(long\), which neither"):
        check_programs(tmp_path, "", main_cpp=text)


def test_no_main(tmp_path: Path) -> None:
    with pytest.raises(BareFlowError, match=r"^the program has no function main$"):
        check_programs(tmp_path, "", other_c="int other(void) { return 0; }")
