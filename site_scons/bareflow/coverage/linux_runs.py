"""Runs of a workload on the real processor: the image's program as a Linux program, whose LLVM is the same.

The tracer (tracer/executed.c) notes which code runs. It takes little more time than the program itself, where
an emulator takes fifteen times as long.
"""

import shutil
import signal
import struct
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

from elftools.elf.elffile import ELFFile

from bareflow.coverage.coverage_file import CoverageError
from bareflow.coverage.guest_coverage import LinkedProgram, code_of
from bareflow.coverage.translated import CodeRange, TranslatedCode, read_bits
from bareflow.coverage.workload import Run
from bareflow.model_program import MODEL_PROGRAM
from bareflow.models.synthetic_model import model_files

Files = dict[str, bytes]
"""Contents by the path on the disk."""
FAILURES = {"jit.compile_all": "failures"}
"""Every trimmed image needs the code that gives a compilation up."""
_FOLDERS = ("boot/snapshots", MODEL_PROGRAM.folder_on_disk.strip("/"), "profile")


def _code(path: Path) -> CodeRange:
    with path.open("rb") as file:
        return code_of(ELFFile(file))


class LinuxRuns:
    """Runs the program with what ran in earlier runs known, in a folder that is its disk."""

    def __init__(
        self,
        paths: Sequence[Path],
        program: LinkedProgram,
        objects: Collection[str],
        tracer: Path,
        disk: Files,
    ) -> None:
        """`paths`: of the ELF of `program`, and of others with the same code. `objects`: whose functions are
        watched. `disk`: what lies on it."""
        self._program, self._tracer, self._disk = program, tracer, disk
        self._programs = [(path, _code(path)) for path in paths]
        if any(code.size != program.code.size for _, code in self._programs):
            raise CoverageError("the programs differ in more than where their variables are")
        self._ranges = program.code_of(objects)
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._bits = 0

    def run(self, run: Run, folder: Path, timeout: float) -> set[str]:
        """Makes a run, if it says so in every layout; `folder` has what earlier ones have left there. Returns
        the functions that have run in all of them. Raises CoverageError if it does not end as it should."""
        for path, code in self._programs if run.layouts else self._programs[:1]:
            self._run(path, code, run, folder, timeout)
        self._bits = read_bits(folder / "bits", self._program.code)
        return self._program.entered(self.executed())

    def _run(self, path: Path, code: CodeRange, run: Run, folder: Path, timeout: float) -> None:
        ranges = folder / "ranges"
        root = folder / "root"
        if run.alone or not root.exists():
            self._make_disk(root)
            ranges.write_bytes(b"".join(struct.pack("<QQ", *pair) for pair in self._ranges))
        files = model_files(run.model) if run.model else {}
        files |= {path: file.read_bytes() for path, file in run.files.items()}
        self._write(root, files)
        command = [str(self._tracer), f"{code.start:#x}", str(code.size)]
        command += [str(ranges), str(folder / "bits"), str(path)]
        command += [f"{key}={value}" for key, value in {"root": root, **FAILURES, **run.config}.items()]
        try:
            status, said = self._call(command, run.input.encode(), timeout)
        finally:
            for name in files:
                (root / name.lstrip("/")).unlink()
            self._write(root, {name: self._disk[name] for name in files if name in self._disk})
        if status != run.code:
            raise CoverageError(f"{run.name}: it ended with status {status} instead of {run.code}\n{said}")

    def _make_disk(self, root: Path) -> None:
        shutil.rmtree(root, ignore_errors=True)
        for name in _FOLDERS:
            (root / name).mkdir(parents=True)
        self._write(root, self._disk)

    def _write(self, root: Path, files: Files) -> None:
        for path, contents in files.items():
            place = root / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(contents)

    def _call(self, command: list[str], text: bytes, timeout: float) -> tuple[int, str]:
        if self._stopped:
            raise CoverageError("it was stopped")
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process:
            self._process = process
            try:
                output, _ = process.communicate(text, timeout)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)  # the program ends with it
                return -1, f"it has not ended after {timeout:.0f} seconds"
        return process.returncode, output[-3000:].decode(errors="replace")

    def stop(self) -> None:
        """Ends the run that is being made, from another thread: it fails."""
        self._stopped = True
        if self._process:
            self._process.kill()

    def executed(self) -> TranslatedCode:
        """What has run."""
        return TranslatedCode(self._program.code, [self._bits])
