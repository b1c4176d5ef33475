"""Boots an image on the workload and reads back which functions ran.

    python -m bareflow.coverage_run image=FILE elf=FILE map=FILE kernel=FILE workload=FILE coverage=FILE
        summary=FILE

All runs are on one copy of the image: the guest itself adds what each boot sees, and later runs find what
earlier ones have remembered, as on a real disk. coverage= is written in the format of bareflow.coverage_file,
summary= is a table by library.
"""

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .coverage import LinkedProgram, Recording, read_recording, summary
from .coverage_file import CoverageError, merge_coverage, write_coverage
from .errors import BareFlowError
from .fat16_edit import replaced_files
from .kernel_file import parse_header
from .qemu import Guest, GuestError
from .qemu_machine import Machine
from .run import default_memory
from .synthetic_model import model_files
from .workload import Run, Workload, load_workload

Report = Callable[[str], None]


def _boot(image: Path, run: Run, timeout: float) -> None:
    """Boots the image once; raises CoverageError when the guest does not end as it should."""
    machine = Machine(
        image,
        config={**run.config, "coverage": "on"},
        memory=run.memory or default_memory(image),
        machine=run.machine,
        drive=run.drive,
        snapshot=False,
    )
    try:
        with Guest(machine, timeout=timeout) as guest:
            if run.input:
                guest.send(run.input.lstrip("\n").replace("\n", "\r"))
            code = guest.wait_exit()
            if code == run.code:
                return
            problem = f"the guest ended with code {code} instead of {run.code}\n{guest.serial[-3000:]}"
    except GuestError as error:
        problem = str(error)
    raise CoverageError(f"{run.name}: {problem}")


def record(image: Path, workload: Workload, report: Report) -> Recording:
    """What all runs together have seen. The image is not changed; `report` gets a line a run."""
    count = len(workload.runs)
    with tempfile.TemporaryDirectory(dir=image.parent) as folder:
        copy = Path(folder) / "coverage.img"
        shutil.copyfile(image, copy)
        known = 0
        for number, run in enumerate(workload.runs, 1):
            begun = time.monotonic()
            files = model_files(run.model) if run.model else {}
            files |= {path: file.read_bytes() for path, file in run.files.items()}
            with replaced_files(copy, files):
                _boot(copy, run, workload.timeout)
            recording = read_recording(copy)
            if recording.boots != number:
                raise CoverageError(
                    f"{run.name}: the guest did not add its boot to what the earlier ones saw"
                )
            executed = len(recording.order)
            report(
                f"{number} of {count}: {run.name} ({time.monotonic() - begun:.1f} s): "
                f"{executed - known} more functions, {executed} in all"
            )
            known = executed
    return recording


def main(argv: Sequence[str]) -> int:
    """Runs as argv (key=value strings) says; returns the exit status."""
    given = {key: Path(value) for key, _, value in (argument.partition("=") for argument in argv)}
    try:
        workload = load_workload(given["workload"])
        build_id = parse_header(given["kernel"].read_bytes()).build_id.hex()
        with given["map"].open() as lines:
            program = LinkedProgram(given["elf"].read_bytes(), lines, build_id)
        recording = record(
            given["image"], workload, lambda line: print(f"           {line}", file=sys.stderr)
        )
        covered = merge_coverage([program.covered(recording, str(given["image"]))])
        given["coverage"].write_text(write_coverage(covered))
        given["summary"].write_text(summary(covered, recording.application))
    except BareFlowError as error:
        print(f"bareflow: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
    sys.exit(130)
