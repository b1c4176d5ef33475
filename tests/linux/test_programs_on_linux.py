"""Ordinary C programs where the JIT runs them: the same library, on every level."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from bareflow.events import parse_event
from bareflow.llvm import llvm_tool
from host_program import run_on_host
from project_files import ROOT

SOURCE = ROOT / "tests/boot/programs/library"


@pytest.mark.parametrize("setting", ["jit.tier0=interpreter", "jit.tier0=O0", "jit.tier0=O1"])
def test_library_is_the_host_s(build_dir: Path, tmp_path: Path, setting: str) -> None:
    program = build_dir.parent / "apps/library/full/linux/bareflow"
    for name in ("host", "root", "root/profile"):
        (tmp_path / name).mkdir()
    expected, output = run_on_host(SOURCE, tmp_path / "host")
    settings = [f"root={tmp_path}/root", setting]
    result = subprocess.run([program, *settings], capture_output=True, timeout=120, check=False)
    assert (result.returncode, result.stdout.decode()) == (expected, output.decode())
    assert (tmp_path / "root/OPEN.TXT").read_bytes() == b"left open\n"
    written = (tmp_path / "root/OUTPUT.TXT").read_bytes()
    assert written == (tmp_path / "host/OUTPUT.TXT").read_bytes()
    assert written.endswith(b"to a file\naborted 1\n")


OTHER_PROGRAM = """
int puts(const char *text);
/* Not interpreted, because a call in it returns two numbers. */
__attribute__((noinline)) static int divides(void) {
    volatile _Complex double a = 3 + 4.0i, b = 2;
    return a / b == 1.5 + 2.0i;
}
__attribute__((noinline)) int main(int count, char **arguments, char **environment) {
    if (!divides())
        return 2;
    puts(count == 2 && !arguments[2] ? arguments[1] : "other arguments");
    return environment[0] ? 1 : 7;
}
"""


TABLE = "-fno-plt"
"""Calls through a table that a dynamic linker fills, as Rust's compiler makes them."""


@pytest.mark.parametrize(
    ("level", "how"),
    [("interpreter", []), ("O0", []), ("O1", []), ("O2", []), ("O3", []), ("O0", [TABLE]), ("O2", [TABLE])],
)
def test_other_bitcode(build_dir: Path, tmp_path: Path, level: str, how: list[str]) -> None:
    """In place of the embedded program, which does not call puts; nothing is kept of it."""
    built = build_dir.parent / "apps/library/full"
    (tmp_path / "profile").mkdir()
    (tmp_path / "other.c").write_text(OTHER_PROGRAM)
    options = ["-target", "x86_64-unknown-none-elf", "-O2", "-Xclang", "-disable-llvm-passes", "-emit-llvm"]
    options += how
    files = ["-c", str(tmp_path / "other.c"), "-o", str(tmp_path / "other.bc")]
    subprocess.run([llvm_tool("clang"), *options, *files], check=True)
    linked = ["-o", str(tmp_path / "PROGRAM.BC"), str(tmp_path / "other.bc"), str(built / "obj/app.main.bc")]
    subprocess.run([llvm_tool("llvm-link"), *linked], check=True)
    settings = [f"root={tmp_path}", "bitcode=/PROGRAM.BC", "args=hello", f"jit.tier0={level}"]
    program = built / "linux/bareflow"
    result = subprocess.run([program, *settings], capture_output=True, timeout=120, check=False)
    assert (result.returncode, result.stdout) == (7, b"hello\n")
    events = [event for line in result.stderr.decode().splitlines() if (event := parse_event(line))]
    compiled = [event["level"] for event in events if event.get("function") == "main"]
    assert compiled == ([] if level == "interpreter" else [level])
    assert not list((tmp_path / "profile").iterdir())


CALLS_CONSTANTS = """
#include "constants.h"
#include <stdio.h>
int main(void) {
    constants();
    return puts("end") < 0;
}
"""


@pytest.mark.parametrize("level", ["interpreter", "O0", "O1", "O2", "O3"])
def test_mathematics_of_other_bitcode(build_dir: Path, tmp_path: Path, level: str) -> None:
    """Which asks LLVM for it, and lets products and sums be fused: it has the same bits on every level."""
    built, root = build_dir.parent / "apps/library/full", build_dir.parents[1]
    (tmp_path / "profile").mkdir()
    (tmp_path / "main.c").write_text(CALLS_CONSTANTS)
    headers = ["llvm-libc/headers-hosted", "llvm-libc/source/libc/include"]
    places = [ROOT / "kernel_lib/hosted/include", *(root / name for name in headers)]
    options = ["-target", "x86_64-unknown-none-elf", "-O2", "-Xclang", "-disable-llvm-passes", "-emit-llvm"]
    options += ["-fno-math-errno", "-ffp-contract=on", "-nostdlibinc", "-I", str(SOURCE)]
    options += [option for place in places for option in ("-isystem", str(place))]
    parts = [built / "obj/app.main.bc"]
    for source in (SOURCE / "constants.c", tmp_path / "main.c"):
        parts.append(tmp_path / f"{source.stem}.bc")
        subprocess.run([llvm_tool("clang"), *options, "-c", source, "-o", parts[-1]], check=True)
    subprocess.run([llvm_tool("llvm-link"), "-o", tmp_path / "PROGRAM.BC", *parts], check=True)
    settings = [f"root={tmp_path}", "bitcode=/PROGRAM.BC", f"jit.tier0={level}"]
    program = built / "linux/bareflow"
    result = subprocess.run([program, *settings], capture_output=True, timeout=240, check=False)
    assert (result.returncode, result.stdout.decode()) == (0, "end\n")


@pytest.fixture(scope="module")
def containers(build_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[int, bytes]]:
    """A program in C++ as bitcode that was made elsewhere; its exit status and output on the host."""
    built, root = build_dir.parent / "apps/library/full", build_dir.parents[1]
    folder = tmp_path_factory.mktemp("containers")
    source = ROOT / "tests/boot/programs/containers/containers.cpp"
    expected = run_on_host(source, folder)
    clang = Path(shutil.which(llvm_tool("clang++")) or "").resolve()
    places = [
        *("-isystem", ROOT / "kernel_lib/hosted/cxx/include"),
        *("-isystem", clang.parents[1] / "include/c++/v1"),
        *("-isystem", ROOT / "kernel_lib/hosted/include"),
        *("-isystem", root / "llvm-libc/headers-hosted"),
        *("-isystem", root / "llvm-libc/source/libc/include"),
    ]
    options = "-target x86_64-unknown-none-elf -std=c++17 -fno-exceptions -fno-rtti -O1 -emit-llvm".split()
    options.append("-DMADE_ELSEWHERE")
    made = folder / "made.bc"
    command = [clang, *options, "-nostdlibinc", "-nostdinc++", *places, "-c", source, "-o", made]
    subprocess.run(list(map(str, command)), check=True)
    linked = ["-o", str(folder / "PROGRAM.BC"), str(made), str(built / "obj/app.main.bc")]
    subprocess.run([llvm_tool("llvm-link"), *linked], check=True)
    return folder / "PROGRAM.BC", expected


@pytest.mark.parametrize("level", ["interpreter", "O0", "O3"])
def test_other_bitcode_of_cxx(
    build_dir: Path, tmp_path: Path, containers: tuple[Path, tuple[int, bytes]], level: str
) -> None:
    """Operators new and delete, and what LLVM's C++ library leaves to a library, are the kernel's."""
    bitcode, (expected, output) = containers
    (tmp_path / "profile").mkdir()
    shutil.copy(bitcode, tmp_path)
    settings = [f"root={tmp_path}", "bitcode=/PROGRAM.BC", f"jit.tier0={level}"]
    program = build_dir.parent / "apps/library/full/linux/bareflow"
    result = subprocess.run([program, *settings], capture_output=True, timeout=240, check=False)
    assert (result.returncode, result.stdout.decode()) == (expected, output.decode())


FLOATS = """
#include <errno.h>
#include <fenv.h>
#include <stdlib.h>

__attribute__((noinline)) static int sum(int end) {
    volatile int sum = 0;
    for (int i = 0; i < end; i++)
        sum += i;
    return sum;
}

int main(void) {
    fesetround(FE_UPWARD);
    feclearexcept(FE_ALL_EXCEPT);
    for (int i = 0; i < 100; i++)
        if (sum(100) != 4950)
            return 1;
    if (fetestexcept(FE_ALL_EXCEPT))
        return 2;
    if (fegetround() != FE_UPWARD)
        return 3;
    strtol("99999999999999999999", NULL, 10);
    return errno == ERANGE ? 0 : 4;
}
"""


def test_floating_point_environment_is_the_program_s(build_dir: Path, tmp_path: Path) -> None:
    """Compiling in the middle of it sets no flags; and errno is the library's."""
    built, root = build_dir.parent / "apps/library/full", build_dir.parents[1]
    (tmp_path / "profile").mkdir()
    (tmp_path / "floats.c").write_text(FLOATS)
    headers = ["llvm-libc/headers-hosted", "llvm-libc/source/libc/include"]
    places = [option for name in headers for option in ("-isystem", str(root / name))]
    options = ["-target", "x86_64-unknown-none-elf", "-O1", "-emit-llvm", "-nostdlibinc", *places]
    made = tmp_path / "floats.bc"
    subprocess.run(
        [llvm_tool("clang"), *options, "-c", str(tmp_path / "floats.c"), "-o", str(made)], check=True
    )
    linked = ["-o", str(tmp_path / "PROGRAM.BC"), str(made), str(built / "obj/app.main.bc")]
    subprocess.run([llvm_tool("llvm-link"), *linked], check=True)
    settings = [f"root={tmp_path}", "bitcode=/PROGRAM.BC", "jit.thresholds=1,2,4,8", "jit.budget=100"]
    program = built / "linux/bareflow"
    result = subprocess.run([program, *settings], capture_output=True, timeout=120, check=False)
    events = [event for line in result.stderr.decode().splitlines() if (event := parse_event(line))]
    assert {event["level"] for event in events if event.get("function") == "sum"} >= {"O0", "O3"}
    assert result.returncode == 0, result.stdout


def test_bitcode_that_is_not_there(build_dir: Path, tmp_path: Path) -> None:
    program = build_dir.parent / "apps/library/full/linux/bareflow"
    settings = [f"root={tmp_path}", "bitcode=/PROGRAM.BC"]
    result = subprocess.run([program, *settings], capture_output=True, timeout=120, check=False)
    assert result.returncode == 1
    assert b"panic: bitcode: " in result.stdout and b"PROGRAM.BC cannot be opened" in result.stdout
