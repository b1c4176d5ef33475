"""The bench of an ordinary program on Linux: each run of its workload on this processor, native and while
full learns. Times are the process's processor time, of which the least counts.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bareflow.app_workload import END_OF_INPUT
from bareflow.bench.case import Case, take_turns
from bareflow.bench.program_cases import BOOTS, NATIVE, REPETITIONS, uses
from bareflow.bench.tables import Row, render
from bareflow.coverage.workload import Run

LIMIT = 600.0
"""Seconds after which a run counts as hung."""
_FOLDERS = ("boot/snapshots", "profile")


@dataclass(frozen=True)
class Process:
    """One run."""

    status: int
    output: bytes
    seconds: float
    """Of processor time."""


def linux_program_bench(arguments: Mapping[str, str]) -> list[Case[dict[str, list[Process]]]]:
    """The runs of workload=, or one with args=, by the Linux program program=, which has a JIT engine if
    there is native= as well. Arguments that begin with "/" are files of its disk."""
    disk = {path: Path(file) for path, file in arguments.items() if path.startswith("/")}
    program, native = Path(arguments["program"]), arguments.get("native")
    return [
        Case(
            partial(_measure, run, program, Path(native) if native else None, disk),
            partial(_tables, run),
            partial(_complaints, run),
        )
        for run in uses(arguments)
    ]


def execute(command: Sequence[str], text: bytes) -> Process:
    """Runs a command with this standard input; what it says on standard error is left out."""
    with contextlib.ExitStack() as stack:
        given = stack.enter_context(tempfile.TemporaryFile())
        given.write(text)
        given.seek(0)
        process = stack.enter_context(
            subprocess.Popen(command, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        )
        timer = threading.Timer(LIMIT, process.send_signal, [signal.SIGKILL])
        timer.start()
        assert process.stdout
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    return Process(process.returncode, output, usage.ru_utime + usage.ru_stime)


def _lives(run: Run, program: Path, disk: Mapping[str, Path], count: int) -> list[Process]:
    """Runs on one disk, one after the other."""
    with tempfile.TemporaryDirectory() as root:
        for name in _FOLDERS:
            (Path(root) / name).mkdir(parents=True)
        for name, file in disk.items():
            place = Path(root) / name.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
        settings = {"root": root, "life.settle": 0, **run.config}
        command = [str(program), *(f"{key}={value}" for key, value in settings.items())]
        text = run.input.removesuffix(END_OF_INPUT).encode()
        return [execute(command, text) for _ in range(count)]


def _measure(
    run: Run, program: Path, native: Path | None, disk: Mapping[str, Path]
) -> dict[str, list[Process]]:
    def measure() -> dict[str, Process]:
        made = {NATIVE: _lives(run, native or program, disk, 1)[0]}
        if native:
            lives = _lives(run, program, disk, BOOTS)
            made |= {f"full, run {number}": life for number, life in enumerate(lives, 1)}
        return made

    sentence = f"{run.name}, turn {{turn}} of {{turns}}"
    turns = take_turns({"": measure}, REPETITIONS, sentence)[""]
    return {name: [turn[name] for turn in turns] for name in turns[0]}


def _tables(run: Run, found: Mapping[str, Sequence[Process]]) -> list[str]:
    seconds = [f"{min(process.seconds for process in turns):.3f}" for turns in found.values()]
    rows: list[Row] = [("processor time, s", seconds)]
    title = ": ".join(filter(None, (run.name, str(run.config.get("args", "")))))
    return [render(title, list(found), rows)]


def _complaints(run: Run, found: Mapping[str, Sequence[Process]]) -> list[str]:
    processes = [process for turns in found.values() for process in turns]
    wrong = {process.status for process in processes} - {run.code}
    complaints = [f"{run.name}: a run ended with status {min(wrong)} instead of {run.code}"] if wrong else []
    return complaints + ["the outputs differ"] * (len({process.output for process in processes}) != 1)
