"""Boots one disk again and again, and shows how its kernel grows and shrinks.

    python -m bareflow.evolve.evolve image=FILE boots=N folder=DIR [cpu=NAME] [page=FILE command=TEXT]

After three eighths of the boots /trim is typed, in a boot of full that does nothing else, and after five
eighths /export. Every boot must generate the same tokens with the same logits. Then the same disk boots with
another processor. The table goes to standard output, as CSV and as SVG to the folder, and with page=FILE
beside that page.
"""

import csv
import io
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bareflow import program
from bareflow.bench.case import progress
from bareflow.bench.page import load, write_page
from bareflow.bench.tables import Row, render
from bareflow.disk.boot_slots import LBA
from bareflow.disk.fat import SECTOR
from bareflow.errors import BareFlowError
from bareflow.evolve.curve import size_text, svg
from bareflow.evolve.generation import Generation, boot, type_command
from bareflow.qemu.machine import Machine
from bareflow.run.run import default_memory

TITLE = "Grow to shrink: one disk, booted again and again"
STEPS = 128
LIMIT = 300.0
"""Seconds after which a boot counts as hung."""
CONFIG: dict[str, object] = {"temperature": 0, "steps": STEPS, "coverage": "on"}
LEAST_MEMORY = 256
"""MiB: for the copy that /trim makes."""
EIGHTHS = {3: "/trim", 5: "/export"}
"""What is typed when so many eighths of the boots are over."""
COLUMNS = (
    "boot", "kernel", "kind", "kernel_bytes", "memory_bytes", "first_token_s", "tokens_per_s", "O0", "O1",
    "O2", "O3", "compiling_s", "misses", "written",
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
    columns = "kernel|on disk|memory|first token, s|tokens/s|O1 O2 O3|compiling, s|misses".split("|")
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
        ]
        rows.append((name, cells))
    return render("", columns, rows, name_width=12, widths=(9, 10, 10, 16, 10, 12, 14, 8))


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
    return f"{made.kernel.kind}, {size_text(made.kernel.bytes)}, {made.tokens_per_s:.1f} tokens/s"


def _machine(disk: Path, cpu: str | None = None) -> Machine:
    return Machine(disk, config=CONFIG, memory=max(default_memory(disk), LEAST_MEMORY), cpu=cpu)


def _choose_full(disk: Path) -> None:
    """The next boot is that of full, as by a key at power-on: what compiling for /export takes depends on the
    profile, and a trimmed copy may lack some of it."""
    with disk.open("r+b") as file:
        file.seek(LBA * SECTOR)
        file.write(bytes(SECTOR))


def _live(disk: Path, count: int) -> list[Generation]:
    machine = _machine(disk)
    commands = {count * eighths // 8: command for eighths, command in EIGHTHS.items()}
    boots: list[Generation] = []
    for number in range(1, count + 1):
        made = boot(machine, LIMIT)
        if number in commands:
            progress(f"{commands[number]} is typed")
            _choose_full(disk)
            made = replace(made, written=type_command(machine, commands[number], LIMIT))
        boots.append(made)
        wrote = "".join(f"; wrote {new.name}: {new.kind}, {size_text(new.bytes)}" for new in made.written)
        progress(f"boot {number} of {count}: {_brief(made)}{wrote}")
    return boots


def _again(disk: Path, cpu: str) -> Generation:
    """The disk that has come to its end, on another processor."""
    made = boot(_machine(disk, cpu), LIMIT)
    progress(f"on cpu={cpu}: {_brief(made)}")
    return made


def main(argv: Sequence[str]) -> int:
    """Makes what the options ask for; returns the exit status."""
    options = dict(pair.split("=", 1) for pair in argv)
    before = load()
    with tempfile.TemporaryDirectory() as folder:
        disk = Path(shutil.copyfile(options["image"], Path(folder) / "disk.img"))
        boots = _live(disk, int(options["boots"]))
        again = _again(disk, options["cpu"]) if options.get("cpu") else None
    tables = [table(boots), summary(boots)]
    if again:
        tables.append(table([again], [f"cpu={options['cpu']}"]))
    print("\n\n".join(tables), flush=True)
    if len({made.results for made in [*boots, *([again] if again else [])]}) != 1:
        raise BareFlowError("the boots generated different tokens or logits")
    places = [Path(options["folder"])]
    if page := options.get("page"):
        places.append(Path(page).parent)
        write_page(page, "evolve", tables, options["command"], before)
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
        (place / "evolve.csv").write_text(csv_text(boots))
        (place / "evolve.svg").write_text(svg(TITLE, boots))
    return 0


if __name__ == "__main__":
    sys.exit(program.call("evolve", main, sys.argv[1:]))
