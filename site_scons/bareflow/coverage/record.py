"""Boots an image on the workload and reads back which functions ran, and which of their bytes.

    python -m bareflow.coverage.record image=FILE elf=FILE map=FILE kernel=FILE workload=FILE plugin=FILE
        [inputs=FILE tracer=FILE program=FILE [PROGRAM...]] disk=PATHS coverage=FILE summary=FILE runs=FILE

The runs share one copy of the image. As on a real disk, each boot adds the functions that it runs, and later
boots find the profile and the compiled code of earlier ones. Runs that are `alone` have a copy of their own
and can be made at the same time. The guest itself records which functions ran. QEMU's plugin=
(qemu_plugin/translated.c) records which code was translated, for the objects in the archives that inputs=
lists, a name a line.

Runs whose platform is linux are made by program= (beside it is its map), the same program for Linux, one
after the other, while the others boot (linux_runs.py). Without one they boot, too. The other programs differ
from it only in where their variables are. disk= has the paths of the image's files that they read, separated
by commas.

coverage= is written in the format of bareflow.coverage.coverage_file. summary= is a table by library. runs=
has one line for each run: how many functions had run by then, and the run's name.
"""

import contextlib
import os
import shutil
import signal
import sys
import threading
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bareflow import program
from bareflow.coverage.coverage_file import CoverageError, merge_coverage, write_coverage
from bareflow.coverage.guest_coverage import (
    LinkedProgram,
    Recording,
    linked_program,
    merge_application,
    read_recording,
    summary,
)
from bareflow.coverage.linux_runs import FAILURES, LinuxRuns
from bareflow.coverage.translated import Plugin, TranslatedCode
from bareflow.coverage.workload import Run, Workload, load_workload
from bareflow.disk.fat import read_file, replaced_files
from bareflow.disk.image_copy import copy_image
from bareflow.errors import BareFlowError
from bareflow.kernel.archive import members
from bareflow.kernel.link_map import file_name
from bareflow.models.synthetic_model import model_files
from bareflow.qemu.guest import Guest, GuestError
from bareflow.qemu.machine import Machine, QemuError
from bareflow.run.run import default_memory
from bareflow.trim.job import is_archive

Report = Callable[[str], None]


class Recorder:
    """Boots an image on a workload, with as many guests at a time as there are processors and disks."""

    def __init__(
        self,
        image: Path,
        workload: Workload,
        report: Report,
        plugin: Plugin | None = None,
        linux: LinuxRuns | None = None,
        name_of: Callable[[int], str] = str,
    ) -> None:
        """`name_of` gives the function at a place of the kernel's table."""
        self._image, self._workload, self._report, self._plugin = image, workload, report, plugin
        self._linux, self._name_of = linux, name_of
        self._folder = image.with_name("coverage-disks")
        self._lock = threading.Lock()
        # Under the lock:
        self._guests: set[Guest] = set()
        self._stopped = False
        self._seen: set[str] = set()
        self.runs: list[tuple[int, str]] = []
        """How many functions had run by the end of each run, and the run's name, in the order of the ends."""
        self.translated: list[int] = []
        """The code that each run has translated, as Plugin.read returns it."""

    def record(self) -> list[Recording]:
        """Records all runs and returns what each disk has. The runs that are alone on a disk start first,
        because they are long. The image is not changed. `report` gets one line for each run."""
        shutil.rmtree(self._folder, ignore_errors=True)  # of a recording that was killed
        self._folder.mkdir()
        boots = [run for run in self._workload.runs if not self._is_on_linux(run)]
        disks = [[run] for run in boots if run.alone]
        disks.append([run for run in boots if not run.alone])
        try:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                on_linux = pool.submit(self._on_linux)
                started = [pool.submit(self._on_one_disk, runs) for runs in disks if runs]
                try:
                    recordings = [future.result() for future in reversed(started)]
                    on_linux.result()
                    return recordings
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    self._stop()
                    raise
        finally:
            shutil.rmtree(self._folder)

    def _on_linux(self) -> None:
        """Makes the runs of the Linux program."""
        for run in self._workload.runs:
            if self._linux and self._is_on_linux(run):
                begun = time.monotonic()
                seen = self._linux.run(run, self._folder, self._workload.timeout)
                self._add(run, seen, time.monotonic() - begun)

    def _is_on_linux(self, run: Run) -> bool:
        return run.platform == "linux" and self._linux is not None

    def _on_one_disk(self, runs: Sequence[Run]) -> Recording:
        """Records these runs, one after the other on one copy of the image."""
        copy = copy_image(self._image, self._folder / f"{self._workload.runs.index(runs[0])}.img")
        for number, run in enumerate(runs, 1):
            begun = time.monotonic()
            files = model_files(run.model) if run.model else {}
            files |= {path: file.read_bytes() for path, file in run.files.items()}
            with replaced_files(copy, files):
                self._boot(copy, run)
            recording = read_recording(copy)
            if recording.boots != number:
                raise CoverageError(
                    f"{run.name}: the guest did not add its boot to what the earlier ones saw"
                )
            self._add(run, map(self._name_of, recording.order), time.monotonic() - begun)
        copy.unlink()
        return recording

    def _boot(self, image: Path, run: Run) -> None:
        """Boots the image once; raises CoverageError when the guest does not end as it should."""
        translated = image.with_suffix(".translated")
        machine = Machine(
            image,
            config={**FAILURES, "life.settle": 0, **run.config, "coverage": "on"},
            memory=run.memory or default_memory(image),
            machine=run.machine,
            drive=run.drive,
            cpu=run.cpu or None,
            snapshot=False,
            extra=self._plugin.arguments(translated) if self._plugin else (),
        )
        try:
            with Guest(machine, timeout=self._workload.timeout) as guest, self._to_be_stopped(guest):
                if run.input:
                    guest.send(run.input.replace("\n", "\r"))
                code = guest.wait_exit()
                log = guest.serial[-3000:]
        except (GuestError, QemuError) as error:
            raise CoverageError(f"{run.name}: {error}") from None
        if code != run.code:
            raise CoverageError(f"{run.name}: the guest ended with code {code} instead of {run.code}\n{log}")
        if self._plugin:
            found = self._plugin.read(translated)
            translated.unlink()  # that of the next run is to be that run's
            with self._lock:
                self.translated.append(found)

    @contextlib.contextmanager
    def _to_be_stopped(self, guest: Guest) -> Iterator[None]:
        with self._lock:
            self._guests.add(guest)
            if self._stopped:
                guest.kill()
        try:
            yield
        finally:
            with self._lock:
                self._guests.discard(guest)

    def _stop(self) -> None:
        """Ends all guests: one run has failed."""
        with self._lock:
            self._stopped = True
            for guest in self._guests:
                guest.kill()
            if self._linux:
                self._linux.stop()

    def _add(self, run: Run, functions: Iterable[str], seconds: float) -> None:
        with self._lock:
            known = len(self._seen)
            self._seen.update(functions)
            seen = len(self._seen)
            self.runs.append((seen, run.name))
            self._report(
                f"{len(self.runs)} of {len(self._workload.runs)}: {run.name} ({seconds:.1f} s): "
                f"{seen - known} more functions, {seen} in all"
            )


def checksums(inputs: Path) -> dict[str, int]:
    """The CRC-32 of every object in the archives among a link's inputs, which a file lists."""
    found = {}
    for path in filter(is_archive, inputs.read_text().splitlines()):
        archive = Path(path).read_bytes()
        for member in members(archive):
            contents = memoryview(archive)[member.offset : member.offset + member.size]
            found[file_name(f"{path}({member.name})")] = zlib.crc32(contents)
    return found


def _linux_runs(
    given: Mapping[str, Path], layouts: Sequence[Path], objects: Collection[str], files: Sequence[str]
) -> tuple[LinkedProgram, LinuxRuns]:
    path = given["program"]
    with path.with_name(f"{path.name}.map").open() as lines:
        program = LinkedProgram(path.read_bytes(), lines, "")
    disk = {name: read_file(given["image"], name) for name in files}
    return program, LinuxRuns([path, *layouts], program, objects, given["tracer"], disk)


def record(given: Mapping[str, Path], layouts: Sequence[Path], files: Sequence[str]) -> None:
    """Makes the recording: reads and writes the files that the module's text names."""
    workload = load_workload(given["workload"])
    program = linked_program(given["elf"], given["map"], given["kernel"])
    objects = checksums(given["inputs"]) if "inputs" in given else {}
    linux_program, linux = (
        _linux_runs(given, layouts, objects, files) if "program" in given and objects else (None, None)
    )
    recorder = Recorder(
        given["image"],
        workload,
        lambda line: print(f"           {line}", file=sys.stderr),
        Plugin(given["plugin"], program.code),
        linux,
        program.symbol,
    )
    recordings = recorder.record()
    translated = TranslatedCode(program.code, recorder.translated)
    covered = [
        program.covered(recording, str(given["image"]), translated, objects) for recording in recordings
    ]
    if linux_program and linux:
        covered.append(linux_program.executed(linux.executed(), objects))
    merged = merge_coverage(covered)
    given["coverage"].write_text(write_coverage(merged))
    given["summary"].write_text(summary(merged, merge_application(recordings)))
    given["runs"].write_text("".join(f"{functions} {name}\n" for functions, name in recorder.runs))


def main(argv: Sequence[str]) -> int:
    """Runs as argv (key=value strings, and programs) says; returns the exit status."""
    given = dict(argument.split("=", 1) for argument in argv if argument[:1] != "/")
    files = [path for path in given.pop("disk", "").split(",") if path]
    layouts = [Path(argument) for argument in argv if argument[:1] == "/"]
    try:
        record({key: Path(value) for key, value in given.items()}, layouts, files)
    except BareFlowError as error:
        print(f"bareflow: {error}", file=sys.stderr)
        return 1
    return 0


def _interrupt(number: int, frame: object) -> None:
    """Does what Ctrl-C does, so that no guest and no disk is left."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(program.call("bareflow", main, sys.argv[1:]))
