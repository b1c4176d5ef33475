"""The recorder of a workload, with guests that are none."""

from __future__ import annotations

import os
import signal
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest
from bareflow.coverage import record as coverage_run
from bareflow.coverage.coverage_file import CoverageError
from bareflow.coverage.guest_coverage import Recording
from bareflow.coverage.record import Recorder, checksums
from bareflow.coverage.translated import CodeRange, Plugin
from bareflow.coverage.workload import Run, Workload
from bareflow.qemu.guest import GuestError
from trim_tools import archived, compiled

# What each run executes; the guest adds that to what its disk has.
EXECUTES = {"a": {1, 2}, "b": {2, 3, 4}, "c": {9}}


class FakeGuest:
    """Ends at once, or, told to "wait", when it is killed."""

    serial = ""

    def __init__(self, machine: Any, *, timeout: float) -> None:
        self.machine = machine
        self.killed = threading.Event()

    def __enter__(self) -> FakeGuest:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def kill(self) -> None:
        self.killed.set()

    def wait_exit(self) -> int:
        does = str(self.machine.config["does"])
        if does == "wait":
            assert self.killed.wait(30), "nobody has ended the guest"
            raise GuestError("killed")
        with self.machine.image.open("a") as disk:
            disk.write(does)
        return 7 if does == "fail" else 0


def read_fake(path: Path) -> Recording:
    """The disk is the names of the runs that were on it."""
    names = path.read_text()
    executed = set().union(*(EXECUTES[name] for name in names))
    return Recording("", len(names), 10, tuple(sorted(executed)), {})


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Records runs as (name, what it does, whether it is alone); returns the recorder, its recordings and its
    messages."""
    monkeypatch.setattr(coverage_run, "Guest", FakeGuest)
    monkeypatch.setattr(coverage_run, "read_recording", read_fake)
    image = tmp_path / "some.img"
    image.write_text("")

    def run(*runs: tuple[str, str, bool]) -> tuple[Recorder, list[Recording], list[str]]:
        boots = [Run(name, {"does": does}, memory=64, alone=alone) for name, does, alone in runs]
        workload = Workload(timeout=9, runs=boots)
        said: list[str] = []
        recorder = Recorder(image, workload, said.append)
        try:
            return recorder, recorder.record(), said
        finally:
            assert [path.name for path in tmp_path.iterdir()] == ["some.img"]
            assert image.read_text() == ""

    return run


def test_runs_on_one_disk(record: Any) -> None:
    recorder, recordings, said = record(("first", "a", False), ("second", "b", False))
    assert recorder.runs == [(2, "first"), (4, "second")]
    assert [set(recording.order) for recording in recordings] == [{1, 2, 3, 4}]
    assert said[1].startswith("2 of 2: second (") and said[1].endswith("): 2 more functions, 4 in all")


def test_run_on_a_disk_of_its_own(record: Any) -> None:
    recorder, recordings, _ = record(("first", "a", False), ("second", "c", True))
    assert {frozenset(recording.order) for recording in recordings} == {frozenset({1, 2}), frozenset({9})}
    assert recorder.runs[-1][0] == 3


def test_guest_that_fails(record: Any) -> None:
    with pytest.raises(CoverageError, match="second: the guest ended with code 7 instead of 0"):
        record(("first", "a", False), ("second", "fail", False), ("third", "wait", True))


class FakeLinuxRuns:
    """Notes its runs instead of making them."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.stopped = threading.Event()

    def run(self, run: Run, folder: Path, timeout: float) -> set[str]:
        assert folder.is_dir() and timeout == 9
        self.made.append(run.name)
        if run.config["does"] == "wait":
            assert self.stopped.wait(30), "nobody has ended it"
            raise CoverageError("stopped")
        return {"1", run.name}

    def stop(self) -> None:
        self.stopped.set()


def linux_workload(*does: str) -> Workload:
    runs = [Run("boot", {"does": "a"}, memory=64)]
    runs += [Run(f"linux {number}", {"does": what}, platform="linux") for number, what in enumerate(does)]
    return Workload(timeout=9, runs=runs)


def test_runs_on_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They make no boots, and count the same functions."""
    monkeypatch.setattr(coverage_run, "Guest", FakeGuest)
    monkeypatch.setattr(coverage_run, "read_recording", read_fake)
    (tmp_path / "some.img").write_text("")
    linux: Any = FakeLinuxRuns()
    recorder = Recorder(tmp_path / "some.img", linux_workload("x", "y"), lambda line: None, linux=linux)
    (recording,) = recorder.record()
    assert set(recording.order) == EXECUTES["a"]
    assert linux.made == ["linux 0", "linux 1"]
    assert max(count for count, _ in recorder.runs) == len({"1", "2", "linux 0", "linux 1"})


def test_run_on_linux_without_a_program_boots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage_run, "Guest", FakeGuest)
    monkeypatch.setattr(coverage_run, "read_recording", read_fake)
    (tmp_path / "some.img").write_text("")
    recorder = Recorder(tmp_path / "some.img", linux_workload("b", "c"), lambda line: None)
    (recording,) = recorder.record()
    assert set(recording.order) == EXECUTES["a"] | EXECUTES["b"] | EXECUTES["c"]


def test_failure_ends_the_run_on_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage_run, "Guest", FakeGuest)
    monkeypatch.setattr(coverage_run, "read_recording", read_fake)
    (tmp_path / "some.img").write_text("")
    linux: Any = FakeLinuxRuns()
    workload = linux_workload("wait")
    workload.runs.insert(0, Run("failing", {"does": "fail"}, memory=64))
    with pytest.raises(CoverageError, match="failing: the guest ended with code 7"):
        Recorder(tmp_path / "some.img", workload, lambda line: None, linux=linux).record()


class FakePlugin(Plugin):
    """QEMU writes the name of the run."""

    def arguments(self, output: Path) -> list[str]:
        return [str(output)]

    def read(self, output: Path) -> int:
        return int(output.read_text(), 16)


class GuestWithPlugin(FakeGuest):
    def wait_exit(self) -> int:
        (output,) = self.machine.extra
        assert not Path(output).exists(), "left by the run before"
        Path(output).write_text(str(self.machine.config["does"]))
        return super().wait_exit()


def test_what_each_run_has_translated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage_run, "Guest", GuestWithPlugin)
    monkeypatch.setattr(coverage_run, "read_recording", read_fake)
    (tmp_path / "some.img").write_text("")
    boots = [Run(does, {"does": does}, memory=64, alone=does == "c") for does in ("a", "b", "c")]
    plugin = FakePlugin(tmp_path / "plugin.so", CodeRange(0, 100))
    recorder = Recorder(tmp_path / "some.img", Workload(9, boots), lambda line: None, plugin)
    recorder.record()
    assert sorted(recorder.translated) == [0xA, 0xB, 0xC]


def test_checksums_of_objects(tmp_path: Path) -> None:
    objects = [compiled(tmp_path, f"{name}.c", f"int {name};") for name in ("one", "two")]
    library = archived(tmp_path, "libA.a", objects)
    (tmp_path / "inputs").write_text(f"{objects[0]}\n{library}\n")
    assert checksums(tmp_path / "inputs") == {
        f"libA.a({path.name})": zlib.crc32(path.read_bytes()) for path in objects
    }


def test_interrupted_recording_leaves_nothing(record: Any) -> None:
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            record(("first", "wait", False), ("second", "wait", True), ("third", "wait", True))
    finally:
        timer.cancel()
