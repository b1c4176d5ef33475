"""The tracer and the runs that it watches, on small programs."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from bareflow.coverage.coverage_file import CoverageError
from bareflow.coverage.guest_coverage import LinkedProgram
from bareflow.coverage.linux_runs import LinuxRuns
from bareflow.coverage.translated import CodeRange, TranslatedCode, read_bits
from bareflow.coverage.workload import Run
from bareflow.llvm import llvm_tool
from trim_tools import archived, compiled, linked

TRACER = Path(__file__).resolve().parents[2] / "site_scons" / "tracer" / "executed.c"
FAILED = 99
NEVER = 38  # what never() gives, modulo 256

LIBRARY = """
#include <string.h>
typedef int function(int);
int leaf(int n) { return n + 1; }
function *volatile pointer = leaf;
char block[300];
__attribute__((noinline)) int loop(int n) {
    int sum = 0;
    __asm__ volatile("rep stosb" : : "D"(block), "c"(sizeof block), "a"(n) : "memory");
    for (int i = 0; i < n; i++)
        sum += pointer(i);
    return sum;
}
int choose(int n) {
    if (n == 'y') { /* 16 bytes and more of code */
        block[0] = 1, block[8] = 2, block[16] = 3, block[24] = 4;
        return loop(n) + leaf(n);
    }
    return loop(n);
}
int never(int n) { return block[n] + block[n + 1] + block[n + 2] + block[n + 3] + block[n + 4]; }
"""
MAIN = """
#include <stdio.h>
#include <string.h>
int choose(int), never(int);
int main(int count, char **arguments) {
    int key = getchar();
    FILE *model = count > 1 && !strncmp(arguments[1], "root=", 5) && !chdir(arguments[1] + 5)
                  ? fopen("model/model.bin", "r") : 0;
    printf("%d\\n", choose(key));
    if (key == 'k')
        raise(SIGKILL);
    return key == 'n' ? never(1) : key == 'm' ? fgetc(model) : key == 's' ? pause() : 0;
}
""".replace("#include <stdio.h>", "#include <stdio.h>\n#include <unistd.h>\n#include <signal.h>")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("traced")


@pytest.fixture(scope="module")
def tracer(folder: Path) -> Path:
    path = folder / "tracer"
    subprocess.run([llvm_tool("clang"), "-O2", TRACER, "-o", path], check=True)
    return path


@pytest.fixture(scope="module")
def built(folder: Path) -> tuple[Path, LinkedProgram]:
    library = archived(folder, "libB.a", [compiled(folder, "b.c", LIBRARY)])
    path, link_map = linked(folder, [compiled(folder, "main.c", MAIN), library])
    with link_map.open() as lines:
        return path, LinkedProgram(path.read_bytes(), lines, "")


@pytest.fixture
def runs(tracer: Path, built: tuple[Path, LinkedProgram]) -> LinuxRuns:
    path, program = built
    return LinuxRuns([path], program, {"libB.a(b.o)"}, tracer, {"/model/model.bin": b"\x07"})


def hit(runs: LinuxRuns, built: tuple[Path, LinkedProgram]) -> dict[str, bool]:
    covered = built[1].executed(runs.executed(), {"libB.a(b.o)": 5})
    return {function.symbol: function.hit for function in covered}


def test_what_ran(runs: LinuxRuns, built: tuple[Path, LinkedProgram], tmp_path: Path) -> None:
    """Functions and parts; later runs add to them."""
    entered = runs.run(Run("no", {}, "q"), tmp_path, 20)
    assert {"leaf", "loop", "choose"} <= entered and "never" not in entered
    assert hit(runs, built) == {"leaf": True, "loop": True, "choose": True, "never": False}

    def unused() -> int:
        covered = built[1].executed(runs.executed(), {"libB.a(b.o)": 5})
        (choose,) = (function for function in covered if function.symbol == "choose")
        assert choose.object_crc == 5
        return sum(end - begin for begin, end in choose.unused)

    before = unused()
    assert before >= 16
    runs.run(Run("yes", {}, "y"), tmp_path, 20)
    assert unused() < before
    runs.run(Run("never", {}, "n", code=NEVER), tmp_path, 20)
    assert hit(runs, built)["never"]


def test_every_byte_that_ran_and_no_other(tracer: Path, tmp_path: Path) -> None:
    """Branches of all kinds, whose lengths the tracer has to know; taken and not taken."""
    source = """
section .text
global _start
_start:
    xor eax, eax
    jz short .a
.dead1: times 20 nop
.a: jz near .b
.dead2: times 20 nop
.b: jmp short .c
.dead3: times 20 nop
.c: jmp near .d
.dead4: times 20 nop
.d: call f
    lea rbx, [rel f]
    call rbx
    mov [rel pointer], rbx
    call [rel pointer]
    lea r12, [rel pointer]
    call [r12]
    lea rcx, [r12 - 200]
    call [rcx + 200]
    jnz near .dead1
    db 0x3e ; notrack
    jmp [rel place]
.dead5: times 20 nop
.e: mov eax, 60
    xor edi, edi
    syscall
f:  mov ecx, 40
    lea rdi, [rel room]
    rep stosb
    ret
end:
section .bss
    resb 200
pointer: resq 1
section .data
place: dq _start.e
section .bss
room: resb 64
"""
    (tmp_path / "a.asm").write_text(source)
    subprocess.run(["nasm", "-f", "elf64", "a.asm"], cwd=tmp_path, check=True)
    subprocess.run([llvm_tool("ld.lld"), "a.o", "-o", "a"], cwd=tmp_path, check=True)
    said = subprocess.run(
        [llvm_tool("llvm-nm"), "a"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    at = {line.split()[2]: int(line.split()[0], 16) for line in said.stdout.splitlines()}
    code = CodeRange(at["_start"], at["end"] - at["_start"])
    (tmp_path / "ranges").write_bytes(struct.pack("<QQ", 0, code.size))
    command = [str(tracer), str(code.start), str(code.size), "ranges", "bits", "./a"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=20)
    executed = TranslatedCode(code, [read_bits(tmp_path / "bits", code)])
    dead = {at[f"_start.dead{number}"] + byte for number in range(1, 6) for byte in range(20)}
    dead |= {at["f"] - 2, at["f"] - 1}  # the system call has no end
    everything = range(code.start, code.start + code.size)
    assert {address for address in everything if not executed.ran(address)} == dead


def test_ends_of_a_run(runs: LinuxRuns, tmp_path: Path) -> None:
    with pytest.raises(CoverageError, match="never: it ended with status 38 instead of 3\n6105\n"):
        runs.run(Run("never", {}, "n", code=3), tmp_path, 20)
    with pytest.raises(CoverageError, match="it ended with status 137 instead of 0"):
        runs.run(Run("killed", {}, "k"), tmp_path, 20)
    with pytest.raises(CoverageError, match="it has not ended after 1 seconds"):
        runs.run(Run("pause", {}, "s"), tmp_path, 1)


def test_files_of_a_run(runs: LinuxRuns, tmp_path: Path) -> None:
    """A model of its own lies on the disk for one run only."""
    (tmp_path / "other").write_bytes(b"\x09")
    files = {"/model/model.bin": tmp_path / "other"}
    runs.run(Run("disk's", {}, "m", code=7), tmp_path, 20)
    runs.run(Run("other", {}, "m", files, code=9), tmp_path, 20)
    runs.run(Run("disk's", {}, "m", code=7), tmp_path, 20)


def test_layouts(built: tuple[Path, LinkedProgram], tmp_path: Path) -> None:
    """A run that says so is made by every program; all start with an empty disk when it is alone."""
    path, program = built
    for name in "ab":
        (tmp_path / name).write_bytes(path.read_bytes())
    tracer = tmp_path / "tracer"
    tracer.write_text(
        '#!/bin/sh\ncd "$(dirname "$3")"; basename "$5" >> log; ls root/profile >> log\n'
        'touch root/profile/left; head -c $((($2 + 7) / 8)) /dev/zero > "$4"\n'
    )
    tracer.chmod(0o755)
    runs = LinuxRuns([tmp_path / "a", tmp_path / "b"], program, {"libB.a(b.o)"}, tracer, {})
    runs.run(Run("one", {}), tmp_path, 20)
    runs.run(Run("all", {}, layouts=True), tmp_path, 20)
    runs.run(Run("alone", {}, layouts=True, alone=True), tmp_path, 20)
    assert (tmp_path / "log").read_text().split() == ["a", "a", "left", "b", "left", "a", "b"]


def test_wrong_use(tracer: Path, tmp_path: Path) -> None:
    (tmp_path / "ranges").write_bytes(b"")
    (tmp_path / "bits").write_bytes(b"123")
    for command in (["1"], ["0", "8", "ranges", "bits", "/bin/true"], ["0", "8", "ranges", "new", "/none"]):
        result = subprocess.run(
            [tracer, *command], cwd=tmp_path, check=False, capture_output=True, timeout=20
        )
        assert result.returncode == FAILED and result.stderr
