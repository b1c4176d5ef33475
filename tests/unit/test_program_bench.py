"""The bench of an ordinary program in QEMU: what it runs, and what it makes of the events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bareflow.app import App, Use
from bareflow.app_workload import END_OF_INPUT, workload_text
from bareflow.bench.guest_session import Session, Time, parse
from bareflow.bench.program_cases import own_cycles, program_bench, uses
from bareflow.coverage.workload import Run


def boot(*events: dict[str, Any]) -> Session:
    return parse((Time(1, 1), event) for event in events)


STARTED = {"event": "boot", "loader_cycles": 100, "kernel_cycles": 20}


def test_what_the_program_itself_takes() -> None:
    assert own_cycles(boot(STARTED, {"event": "exit", "cycles": 1000})) == 1000 - 100 - 20
    read = {"event": "llvm", "start_cycles": 5, "program_cycles": 50}
    ended = {"event": "jit", "cycles": 2000, "compile_cycles": 300}
    assert own_cycles(boot(STARTED, read, ended, {"event": "exit", "cycles": 9999})) == 2000 - 50 - 300


def workload(folder: Path) -> dict[str, str]:
    app = App(folder, "game", workload=[Use("a", "typed\n"), Use("b", levels="c")])
    (folder / "workload.toml").write_text(workload_text(app))
    return {"workload": str(folder / "workload.toml"), "image": "full.img", "native": "native.img"}


def test_uses(tmp_path: Path) -> None:
    """Each use once, with what it has on levels; or the one that is asked for."""
    arguments = workload(tmp_path)
    first, second = uses(arguments)
    assert (first.config, first.input, first.levels) == ({"args": "a"}, f"typed\n{END_OF_INPUT}", {})
    assert (second.config, second.levels) == ({"args": "b"}, {"args": "c"})
    assert uses(arguments | {"args": "d"}) == [Run("args", {"args": "d"}, END_OF_INPUT)]


def test_what_is_held_on_levels(tmp_path: Path) -> None:
    arguments = workload(tmp_path)

    def booted(arguments: dict[str, str]) -> list[object]:
        return [case.measure.args[0].config["args"] for case in program_bench(arguments)]  # type: ignore[attr-defined]

    assert booted(arguments) == ["a", "b"]
    assert booted(arguments | {"levels": "1"}) == ["a", "c"]
    assert booted(arguments | {"levels": "1", "args": "d"}) == ["d"]
