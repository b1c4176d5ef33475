"""The bench of an ordinary program on Linux, with shell scripts in its place."""

from __future__ import annotations

from pathlib import Path

from bareflow.app import App, Use
from bareflow.app_workload import workload_text
from bareflow.bench.linux_program_cases import linux_program_bench

# Prints its arguments but root=, its input and a file of its disk, and counts its runs there.
SCRIPT = """#!/bin/sh
root=${1#root=}
shift
echo "$@"
cat - "$root/DATA/A.TXT"
echo run >>"$root/profile/RUNS"
exit STATUS
"""


def script(path: Path, status: int, more: str = "") -> Path:
    path.write_text(SCRIPT.replace("STATUS", str(status)).replace("exit", f"{more}\nexit"))
    path.chmod(0o755)
    return path


def bench(folder: Path, full: str) -> tuple[list[str], list[str]]:
    """The tables and the complaints of a program with one use, whose status is 3."""
    (folder / "a.txt").write_text("a file\n")
    app = App(folder, "game", workload=[Use("a b", "typed\n", 3)])
    (folder / "workload.toml").write_text(workload_text(app))
    program, native = script(folder / "full", 3, full), script(folder / "native", 3)
    files = {"program": program, "native": native, "workload": folder / "workload.toml"}
    (case,) = linux_program_bench(
        {name: str(path) for name, path in files.items()} | {"/DATA/A.TXT": str(folder / "a.txt")}
    )
    found = case.measure()
    assert found["native"][0].output == b"life.settle=0 args=a b\ntyped\na file\n"
    return list(case.tables(found)), list(case.complaints(found))


def test_columns(tmp_path: Path) -> None:
    (table,), complaints = bench(tmp_path, "")
    assert complaints == []
    assert table.split("\n")[0].split("  ")[0] == "use 1: a b"
    for column in ("native", "full, run 1", "full, run 2", "full, run 3"):
        assert column in table


def test_other_output_in_the_second_run(tmp_path: Path) -> None:
    _, complaints = bench(tmp_path, '[ "$(wc -l <"$root/profile/RUNS")" = 1 ] || echo again')
    assert complaints == ["the outputs differ"]


def test_other_status(tmp_path: Path) -> None:
    _, complaints = bench(tmp_path, "exit 4")
    assert complaints == ["use 1: a run ended with status 4 instead of 3"]
