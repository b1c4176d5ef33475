"""Boots an image on the workload and reads back which functions ran, and which of their bytes.

    python -m bareflow.coverage.record image=FILE elf=FILE map=FILE kernel=FILE workload=FILE plugin=FILE
        [inputs=FILE] coverage=FILE summary=FILE runs=FILE

The runs share one copy of the image. As on a real disk, each boot adds the functions that it runs, and later
boots find the profile and the compiled code of earlier ones. Runs that are `alone` have a copy of their own
and can be made at the same time. The guest itself records which functions ran. QEMU's plugin=
(qemu_plugin/translated.c) records which code was translated, for the objects in the archives that inputs=
lists, a name a line.

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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bareflow import program
from bareflow.coverage.coverage_file import CoverageError, merge_coverage, write_coverage
from bareflow.coverage.guest_coverage import (
    Recording,
    linked_program,
    merge_application,
    read_recording,
    summary,
)
from bareflow.coverage.translated import Plugin, TranslatedCode
from bareflow.coverage.workload import Run, Workload, load_workload
from bareflow.disk.fat16 import replaced_files
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

    def __init__(self, image: Path, workload: Workload, report: Report, plugin: Plugin | None = None) -> None:
        self._image, self._workload, self._report, self._plugin = image, workload, report, plugin
        self._folder = image.with_name("coverage-disks")
        self._lock = threading.Lock()
        # Under the lock:
        self._guests: set[Guest] = set()
        self._stopped = False
        self._seen: set[int] = set()
        self.runs: list[tuple[int, str]] = []
        """How many functions had run by the end of each run, and the run's name, in the order of the ends."""
        self.translated: list[int] = []
        """The code that each run has translated, as Plugin.read returns it."""

    def record(self) -> list[Recording]:
        """Records all runs and returns what each disk has. The runs that are alone on a disk start first,
        because they are long. The image is not changed. `report` gets one line for each run."""
        shutil.rmtree(self._folder, ignore_errors=True)  # of a recording that was killed
        self._folder.mkdir()
        disks = [[run] for run in self._workload.runs if run.alone]
        disks.append([run for run in self._workload.runs if not run.alone])
        try:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                started = [pool.submit(self._on_one_disk, runs) for runs in disks if runs]
                try:
                    return [future.result() for future in reversed(started)]
                except BaseException:
                    pool.shutdown(wait=False, cancel_futures=True)
                    self._stop()
                    raise
        finally:
            shutil.rmtree(self._folder)

    def _on_one_disk(self, runs: Sequence[Run]) -> Recording:
        """Records these runs, one after the other on one copy of the image."""
        copy = self._folder / f"{self._workload.runs.index(runs[0])}.img"
        shutil.copyfile(self._image, copy)
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
            self._add(run, recording, time.monotonic() - begun)
        copy.unlink()
        return recording

    def _boot(self, image: Path, run: Run) -> None:
        """Boots the image once; raises CoverageError when the guest does not end as it should."""
        translated = image.with_suffix(".translated")
        machine = Machine(
            image,
            # Every trimmed image needs the code that gives a compilation up.
            config={"jit.compile_all": "failures", **run.config, "coverage": "on"},
            memory=run.memory or default_memory(image),
            machine=run.machine,
            drive=run.drive,
            snapshot=False,
            extra=self._plugin.arguments(translated) if self._plugin else (),
        )
        try:
            with Guest(machine, timeout=self._workload.timeout) as guest, self._to_be_stopped(guest):
                if run.input:
                    guest.send(run.input.lstrip("\n").replace("\n", "\r"))
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

    def _add(self, run: Run, recording: Recording, seconds: float) -> None:
        with self._lock:
            known = len(self._seen)
            self._seen.update(recording.order)
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


def main(argv: Sequence[str]) -> int:
    """Runs as argv (key=value strings) says; returns the exit status."""
    given = {key: Path(value) for key, _, value in (argument.partition("=") for argument in argv)}
    try:
        workload = load_workload(given["workload"])
        program = linked_program(given["elf"], given["map"], given["kernel"])
        recorder = Recorder(
            given["image"],
            workload,
            lambda line: print(f"           {line}", file=sys.stderr),
            Plugin(given["plugin"], program.code),
        )
        recordings = recorder.record()
        translated = TranslatedCode(program.code, recorder.translated)
        objects = checksums(given["inputs"]) if "inputs" in given else {}
        covered = merge_coverage(
            program.covered(recording, str(given["image"]), translated, objects) for recording in recordings
        )
        given["coverage"].write_text(write_coverage(covered))
        given["summary"].write_text(summary(covered, merge_application(recordings)))
        given["runs"].write_text("".join(f"{functions} {name}\n" for functions, name in recorder.runs))
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
