"""Boots one disk again and again, and shows how its kernel grows and shrinks.

    python -m bareflow.evolve.evolve image=FILE boots=N workload=FILE cpu=NAME folder=DIR
                                     [program=1] [model=NAME] [page=FILE command=TEXT]

No kernel is asked for: full writes its trimmed copy, and that the native kernel, when they have settled. Each
boot generates the workload's first text, and all must generate the same tokens with the same logits. With
program=1 it is the workload's first run of an ordinary program, whose output and status must be the same.
Then the same disk boots with another processor; and with another model, until it has a kernel for that as
well. The table goes to standard output, as CSV and as SVG to the folder, and with page=FILE beside that page,
under its name. model=NAME is for the drawing's title.
"""

import csv
import io
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bareflow import program
from bareflow.bench.case import progress
from bareflow.bench.page import load, write_page
from bareflow.bench.tables import Row, render
from bareflow.disk.fat import write_file
from bareflow.disk.image_copy import copy_image
from bareflow.errors import BareFlowError
from bareflow.evolve.curve import size_text, svg
from bareflow.evolve.generation import Generation, boot
from bareflow.evolve.subject import Pace, Subject, first_text, first_use
from bareflow.qemu.machine import Machine
from bareflow.run.run import default_memory

TITLE = "Grow to shrink: one disk, booted again and again"
LIMIT = 600.0
"""Seconds after which a boot counts as hung."""
SETTLE = 3
"""The guest's default: of eight boots five are full's, one is the trimmed copy's, and two are native."""
LEAST_MEMORY = 256
"""MiB: for the trimmed copy."""


def _columns(subject: Subject) -> list[str]:
    first = f"{subject.first.replace(' ', '_')}_s"
    return [
        *("boot", "kernel", "kind", "kernel_bytes", "memory_bytes", first, subject.pace.column),
        *("O0", "O1", "O2", "O3", "compiling_s", "misses", "writing_s", "written"),
    ]


def _pace_text(pace: Pace, value: float) -> str:
    return f"{value:.1f}" if pace.is_rate else f"{value:.2f}"


def _row(number: int, made: Generation, pace: Pace) -> list[object]:
    return [
        number,
        made.kernel.name,
        made.kernel.kind,
        made.kernel.bytes,
        made.memory,
        f"{made.first_output:.2f}",
        _pace_text(pace, made.pace),
        *(made.levels.get(level, 0) for level in ("O0", "O1", "O2", "O3")),
        f"{made.compiling:.2f}",
        made.misses,
        f"{made.writing:.2f}",
        " ".join(kernel.name for kernel in made.written),
    ]


def csv_text(subject: Subject, boots: Sequence[Generation]) -> str:
    """All that was measured, a line for each boot."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_columns(subject))
    writer.writerows(_row(number, made, subject.pace) for number, made in enumerate(boots, 1))
    return file.getvalue()


def table(subject: Subject, boots: Sequence[Generation], names: Sequence[str] = ()) -> str:
    """The same for people. The boots' names are their numbers, if none are given."""
    pace = subject.pace
    columns = ["kernel", "on disk", "memory", f"{subject.first}, s", pace.heading]
    columns += ["O1 O2 O3", "compiling, s", "misses", "writing, s"]
    rows: list[Row] = []
    for name, made in zip(names or [f"boot {n + 1}" for n in range(len(boots))], boots, strict=True):
        levels = " ".join(str(made.levels.get(level, 0)) for level in ("O1", "O2", "O3"))
        cells = [
            made.kernel.kind,
            size_text(made.kernel.bytes),
            size_text(made.memory),
            f"{made.first_output:.2f}",
            _pace_text(pace, made.pace),
            levels if made.levels else "-",
            f"{made.compiling:.2f}",
            str(made.misses),
            f"{made.writing:.1f}" if made.writing else "-",
        ]
        rows.append((name, cells))
    return render("", columns, rows, name_width=12, widths=(9, 10, 10, 17, 10, 12, 14, 8, 12))


def summary(subject: Subject, boots: Sequence[Generation]) -> str:
    """The last boot next to the first."""
    first, last = boots[0], boots[-1]
    faster = last.pace / first.pace if subject.pace.is_rate else first.pace / last.pace
    return (
        f"last boot / first: {subject.pace.heading} {faster:.1f} times better, "
        f"{subject.first} {first.first_output / last.first_output:.1f} times sooner, "
        f"kernel {first.kernel.bytes / last.kernel.bytes:.0f} times smaller, "
        f"memory {first.memory / last.memory:.1f} times less"
    )


def _brief(pace: Pace, made: Generation) -> str:
    wrote = "".join(f"; wrote {new.name}: {new.kind}, {size_text(new.bytes)}" for new in made.written)
    failed = "".join(f"; {step} failed" for step in made.failed)
    speed = f"{_pace_text(pace, made.pace)} {pace.heading}"
    return f"{made.kernel.kind}, {size_text(made.kernel.bytes)}, {speed}{wrote}{failed}"


class Life:
    """A disk that is booted for one subject."""

    def __init__(self, disk: Path, subject: Subject) -> None:
        self._disk = disk
        self._subject = subject

    def boot(self, name: str, cpu: str | None = None) -> Generation:
        memory = max(default_memory(self._disk), LEAST_MEMORY, self._subject.memory)
        machine = Machine(self._disk, config={"life.settle": SETTLE}, memory=memory, cpu=cpu)
        made = boot(machine, LIMIT, self._subject)
        progress(f"{name}: {_brief(self._subject.pace, made)}")
        return made

    def until_native(self, name: str, most: int) -> list[Generation]:
        """Boots until the kernel is a native one, at most so many."""
        boots: list[Generation] = []
        while len(boots) < most and (not boots or boots[-1].kernel.kind != "native"):
            boots.append(self.boot(f"{name}, boot {len(boots) + 1}"))
        return boots


def _check(boots: Sequence[Generation]) -> None:
    if len({made.results for made in boots}) != 1:
        raise BareFlowError("the boots had different results")


def main(argv: Sequence[str]) -> int:
    """Makes what the options ask for; returns the exit status."""
    options = dict(pair.split("=", 1) for pair in argv)
    before, count, cpu = load(), int(options["boots"]), options["cpu"]
    find = first_use if options.get("program") else first_text
    subject: Subject = find(Path(options["workload"]))
    other_model: list[Generation] = []
    with tempfile.TemporaryDirectory() as folder:
        disk = copy_image(options["image"], Path(folder) / "disk.img")
        life = Life(disk, subject)
        boots = [life.boot(f"boot {number} of {count}") for number in range(1, count + 1)]
        other_cpu = life.boot(f"cpu={cpu}", cpu)
        if files := subject.another():
            for path, data in files.items():
                write_file(disk, path, data)
            other_model = life.until_native("another model", count)
    tables = [
        table(subject, boots),
        summary(subject, boots),
        table(subject, [other_cpu], [f"cpu={cpu}"]),
        *(["Another model:", table(subject, other_model)] if other_model else []),
    ]
    print("\n\n".join(tables), flush=True)
    _check([*boots, other_cpu])
    if other_model:
        _check(other_model)
    made = Path(options["folder"])
    made.mkdir(parents=True, exist_ok=True)
    stems = [str(made / "evolve")]
    if page := options.get("page"):
        stems.append(page.removesuffix(".md"))
        write_page(page, "evolve", tables, options["command"], before)
    title = f"{TITLE}: {options['model']}" if "model" in options else TITLE
    for stem in stems:
        Path(f"{stem}.csv").write_text(csv_text(subject, boots))
        Path(f"{stem}.svg").write_text(svg(title, subject, boots))
    return 0


if __name__ == "__main__":
    sys.exit(program.call("evolve", main, sys.argv[1:]))
