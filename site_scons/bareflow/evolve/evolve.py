"""Boots one disk again and again, and shows how its kernel grows and shrinks.

    python -m bareflow.evolve.evolve image=FILE boots=N workload=FILE cpu=NAME folder=DIR
                                     [model=NAME] [page=FILE command=TEXT]

Nothing is typed: full writes its trimmed copy, and that the native kernel, when they have settled. Each boot
generates the workload's first text, and all must generate the same tokens with the same logits. Then the same
disk boots with another processor; and with another model, until it has a kernel for that as well. The table
goes to standard output, as CSV and as SVG to the folder, and with page=FILE beside that page, under its name.
model=NAME is for the drawing's title.
"""

import csv
import io
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bareflow import program
from bareflow.bench.case import progress
from bareflow.bench.page import load, write_page
from bareflow.bench.tables import Row, render
from bareflow.coverage.workload import load_workload
from bareflow.disk.fat import write_file
from bareflow.errors import BareFlowError
from bareflow.evolve.curve import size_text, svg
from bareflow.evolve.generation import Generation, boot
from bareflow.models.synthetic_model import model_files
from bareflow.qemu.machine import Machine
from bareflow.run.run import default_memory

TITLE = "Grow to shrink: one disk, booted again and again"
LIMIT = 600.0
"""Seconds after which a boot counts as hung."""
OTHER_MODEL = "v0"
SETTLE = 3
"""The guest's default: of eight boots five are full's, one is the trimmed copy's, and two are native."""
LEAST_MEMORY = 256
"""MiB: for the trimmed copy."""
COLUMNS = (
    "boot", "kernel", "kind", "kernel_bytes", "memory_bytes", "first_token_s", "tokens_per_s", "O0", "O1",
    "O2", "O3", "compiling_s", "misses", "writing_s", "written",
)  # fmt: skip


def _row(number: int, made: Generation) -> list[object]:
    return [
        number,
        made.kernel.name,
        made.kernel.kind,
        made.kernel.bytes,
        made.memory,
        f"{made.first_token:.2f}",
        f"{made.tokens_per_s:.1f}",
        *(made.levels.get(level, 0) for level in ("O0", "O1", "O2", "O3")),
        f"{made.compiling:.2f}",
        made.misses,
        f"{made.writing:.2f}",
        " ".join(kernel.name for kernel in made.written),
    ]


def csv_text(boots: Sequence[Generation]) -> str:
    """All that was measured, a line for each boot."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(number, made) for number, made in enumerate(boots, 1))
    return file.getvalue()


def table(boots: Sequence[Generation], names: Sequence[str] = ()) -> str:
    """The same for people. The boots' names are their numbers, if none are given."""
    columns = "kernel|on disk|memory|first token, s|tokens/s|O1 O2 O3|compiling, s|misses|writing, s".split(
        "|"
    )
    rows: list[Row] = []
    for name, made in zip(names or [f"boot {n + 1}" for n in range(len(boots))], boots, strict=True):
        levels = " ".join(str(made.levels.get(level, 0)) for level in ("O1", "O2", "O3"))
        cells = [
            made.kernel.kind,
            size_text(made.kernel.bytes),
            size_text(made.memory),
            f"{made.first_token:.2f}",
            f"{made.tokens_per_s:.1f}",
            levels if made.levels else "-",
            f"{made.compiling:.2f}",
            str(made.misses),
            f"{made.writing:.1f}" if made.writing else "-",
        ]
        rows.append((name, cells))
    return render("", columns, rows, name_width=12, widths=(9, 10, 10, 16, 10, 12, 14, 8, 12))


def summary(boots: Sequence[Generation]) -> str:
    """The last boot next to the first."""
    first, last = boots[0], boots[-1]
    return (
        f"last boot / first: tokens/s {last.tokens_per_s / first.tokens_per_s:.1f}, "
        f"first token {first.first_token / last.first_token:.1f} times sooner, "
        f"kernel {first.kernel.bytes / last.kernel.bytes:.0f} times smaller, "
        f"memory {first.memory / last.memory:.1f} times less"
    )


def _brief(made: Generation) -> str:
    wrote = "".join(f"; wrote {new.name}: {new.kind}, {size_text(new.bytes)}" for new in made.written)
    failed = "".join(f"; {step} failed" for step in made.failed)
    return (
        f"{made.kernel.kind}, {size_text(made.kernel.bytes)}, {made.tokens_per_s:.1f} tokens/s{wrote}{failed}"
    )


def first_text(workload: Path) -> Mapping[str, object]:
    """The settings of the first run of a workload that generates a text in the machine."""
    for run in load_workload(workload).runs:
        if run.config.get("mode") == "generate" and run.platform == "bare" and run.code == 0:
            return run.config
    raise BareFlowError(f'{workload}: no run of it generates a text in the machine (mode = "generate")')


class Life:
    """A disk that is booted for one text."""

    def __init__(self, disk: Path, config: Mapping[str, object]) -> None:
        self._disk = disk
        self._config = {**config, "life.settle": SETTLE}

    def boot(self, name: str, cpu: str | None = None) -> Generation:
        memory = max(default_memory(self._disk), LEAST_MEMORY)
        made = boot(Machine(self._disk, config=self._config, memory=memory, cpu=cpu), LIMIT)
        progress(f"{name}: {_brief(made)}")
        return made

    def until_native(self, name: str, most: int) -> list[Generation]:
        """Boots until the kernel is a native one, at most so many."""
        boots: list[Generation] = []
        while len(boots) < most and (not boots or boots[-1].kernel.kind != "native"):
            boots.append(self.boot(f"{name}, boot {len(boots) + 1}"))
        return boots


def _check(boots: Sequence[Generation]) -> None:
    if len({made.results for made in boots}) != 1:
        raise BareFlowError("the boots generated different tokens or logits")


def main(argv: Sequence[str]) -> int:
    """Makes what the options ask for; returns the exit status."""
    options = dict(pair.split("=", 1) for pair in argv)
    before, count, cpu = load(), int(options["boots"]), options["cpu"]
    config = first_text(Path(options["workload"]))
    with tempfile.TemporaryDirectory() as folder:
        disk = Path(shutil.copyfile(options["image"], Path(folder) / "disk.img"))
        life = Life(disk, config)
        boots = [life.boot(f"boot {number} of {count}") for number in range(1, count + 1)]
        other_cpu = life.boot(f"cpu={cpu}", cpu)
        for path, data in model_files(OTHER_MODEL).items():
            write_file(disk, path, data)
        other_model = life.until_native("another model", count)
    tables = [
        table(boots),
        summary(boots),
        table([other_cpu], [f"cpu={cpu}"]),
        "Another model:",
        table(other_model),
    ]
    print("\n\n".join(tables), flush=True)
    _check([*boots, other_cpu])
    _check(other_model)
    made = Path(options["folder"])
    made.mkdir(parents=True, exist_ok=True)
    stems = [str(made / "evolve")]
    if page := options.get("page"):
        stems.append(page.removesuffix(".md"))
        write_page(page, "evolve", tables, options["command"], before)
    title = f"{TITLE}: {options['model']}" if "model" in options else TITLE
    for stem in stems:
        Path(f"{stem}.csv").write_text(csv_text(boots))
        Path(f"{stem}.svg").write_text(svg(title, boots))
    return 0


if __name__ == "__main__":
    sys.exit(program.call("evolve", main, sys.argv[1:]))
