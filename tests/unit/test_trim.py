"""A program that is linked, run for coverage, trimmed and linked again. Natively, for this machine's CPU."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from bareflow.coverage.coverage_file import write_coverage
from bareflow.llvm import llvm_tool
from bareflow.trim.job import Job
from bareflow.trim.removed import Removed, read_removed
from trim_tools import ParsedObject, archived, compiled, coverage, linked

SITE_SCONS = Path(__file__).parents[2] / "site_scons"

HEADER = """
struct Shape { virtual int area(); virtual int edges(); };
struct Square : Shape { int area() override; int edges() override; };
int deep(int);
template <class T> __attribute__((noinline)) T twice(T x) { return deep(x) * 2; }
"""
SHAPES = (
    HEADER
    + """
int Shape::area() { return deep(0); }
int Shape::edges() { return deep(1); }
int Square::area() { return 49; }
int Square::edges() { return deep(4); }
int only_for_twice(int x) { return x / 3; }
"""
)
MAIN = (
    HEADER
    + """
extern "C" int own_but_never_called(int x) { return deep(x) + 100; }
int (*volatile chosen)(int) = own_but_never_called;
int main(int count, char **) {
    Square square;
    Shape *volatile shape = &square;
    if (count == 1) return shape->area();
    if (count == 2) return shape->edges();
    if (count == 3) return twice(count);
    return chosen(count);
}
"""
)
DEEP = "int only_for_twice(int); int deep(int x) { return only_for_twice(x) + 1; }"
RAN = {"main", "_ZN6Square4areaEv"}


@pytest.fixture
def full(tmp_path: Path) -> Job:
    """The untrimmed program and its coverage: a run without arguments."""
    inputs = [
        compiled(tmp_path, "main.cpp", MAIN),
        archived(
            tmp_path,
            "libshapes.a",
            [
                compiled(tmp_path, "shapes.cpp", SHAPES),
                compiled(tmp_path, "deep.cpp", DEEP),
                compiled(tmp_path, "unlinked.cpp", "int nobody_wants_this(int x) { return x * x; }"),
            ],
        ),
    ]
    _, link_map = linked(tmp_path, inputs, name="full")
    text = write_coverage(coverage(link_map, RAN))
    (tmp_path / "coverage.txt").write_text(text)
    return Job(
        coverage=[str(tmp_path / "coverage.txt")],
        misses=[],
        map=str(link_map),
        archives=[str(inputs[1])],
        output=str(tmp_path / "trimmed"),
        removed=str(tmp_path / "removed.jsonl"),
        emptied=str(tmp_path / "emptied.jsonl"),
    )


def folder(job: Job) -> Path:
    """Of the program's object, what it was linked to, and all that is made of them."""
    return Path(job.output).parent


def run_trim(job: Job) -> subprocess.CompletedProcess[str]:
    path = folder(job) / "job.json"
    path.write_text(json.dumps(asdict(job)))
    command = [sys.executable, "-m", "bareflow.trim.trim", str(path)]
    return subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(SITE_SCONS)})


def trimmed(job: Job) -> tuple[Path, dict[str, Removed]]:
    """The program linked of our object and the trimmed archive, and what was removed by name."""
    result = run_trim(job)
    assert result.returncode == 0, result.stderr
    inputs = [folder(job) / "main.o", *(Path(job.output) / Path(path).name for path in job.archives)]
    program, _ = linked(folder(job), inputs, name=f"{Path(job.output).name}.elf")
    return program, {entry.symbol: entry for entry in read_removed(Path(job.removed).read_text())}


def status(program: Path, arguments: int) -> int:
    """Exit status of a run with so many arguments; the program's own name is one."""
    return subprocess.run([program, *["x"] * (arguments - 1)], check=False).returncode


def test_covered_run_is_the_same(full: Job) -> None:
    program, _ = trimmed(full)
    assert status(program, 1) == 49 == status(folder(full) / "full", 1)


def test_virtual_call_reaches_the_stub(full: Job) -> None:
    program, removed = trimmed(full)
    assert status(folder(full) / "full", 2) == 4 // 3 + 1
    assert status(program, 2) == -signal.SIGILL
    entry = removed["_ZN6Square5edgesEv"]
    code = ParsedObject(program).code_at("_ZN6Square5edgesEv", 6)
    assert code == b"\x0f\x0b" + entry.id.to_bytes(4, "little")
    assert entry.file == "libshapes.a(shapes.o)" and entry.size > 6


def test_own_functions_stay_even_if_they_did_not_run(full: Job) -> None:
    """They get as far as the library function that they call; a template, too, of which libraries may have
    copies."""
    program, removed = trimmed(full)
    assert not {"own_but_never_called", "_Z5twiceIiET_S0_"} & removed.keys()
    assert status(program, 3) == status(program, 4) == -signal.SIGILL
    keep_deep = replace(full, misses=[str(folder(full) / "misses.txt")])
    Path(keep_deep.misses[0]).write_text("_Z4deepi\n_Z14only_for_twicei\n")
    program, _ = trimmed(keep_deep)
    assert status(program, 3) == (3 // 3 + 1) * 2
    assert status(program, 4) == 4 // 3 + 1 + 100


def test_what_only_dead_functions_call_is_not_linked(full: Job) -> None:
    program, _ = trimmed(full)
    assert "_Z14only_for_twicei" in ParsedObject(folder(full) / "full").symbols()
    assert "_Z14only_for_twicei" not in ParsedObject(program).symbols()


def test_member_that_was_not_linked_is_not_touched(full: Job) -> None:
    _, removed = trimmed(full)
    assert "_Z17nobody_wants_thisi" not in removed
    library = Path(full.output) / "libshapes.a"
    contents = subprocess.run(
        [llvm_tool("llvm-ar"), "p", library, "unlinked.o"], capture_output=True, check=True
    )
    assert contents.stdout == (folder(full) / "unlinked.o").read_bytes()


def test_same_inputs_give_the_same_bytes(full: Job) -> None:
    trimmed(full)
    again = replace(full, output=f"{full.output}2", removed=f"{full.removed}2")
    trimmed(again)
    first, second = (Path(job.output) / "libshapes.a" for job in (full, again))
    assert first.read_bytes() == second.read_bytes()
    assert Path(full.removed).read_text() == Path(again.removed).read_text()


def test_archives_of_one_name(full: Job) -> None:
    other = folder(full) / "other" / "libshapes.a"
    other.parent.mkdir()
    other.write_bytes(Path(full.archives[0]).read_bytes())
    result = run_trim(replace(full, archives=[*full.archives, str(other)]))
    assert result.returncode == 1
    assert "several archives have the same name" in result.stderr
