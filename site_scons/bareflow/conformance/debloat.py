"""What a trim by one half of the programs costs the other half: wrong outputs, misses, recoveries.

    python -m bareflow.conformance.debloat image=FILE second=FILE trimmed=FILE full=FILE removed=FILE jobs=N

image= has the trimmed kernel and the full one; trimmed= and full= are these two, and removed= is the table of
the functions that are not in the first. Each program of second= (halves.py) boots once under each policy. The
status is 1 when an output or a status was another one than on this machine.
"""

import io
import json
import queue
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bareflow import program as outside
from bareflow.conformance.execution import POLICIES, Outcome
from bareflow.conformance.halves import PLACE, RUN_UNDER, Chosen
from bareflow.disk.boot_slots import ATTEMPTS
from bareflow.disk.fat import write_file
from bareflow.disk.image_copy import copy_image
from bareflow.kernel.kernel_file import parse_header
from bareflow.qemu.guest import Guest, GuestError
from bareflow.qemu.machine import Machine
from bareflow.qemu.serial import Restart, Text
from bareflow.run.run import default_memory
from bareflow.run.text_output import TextOutput

LIMIT = 900.0
"""Seconds after which a boot counts as hung."""


@dataclass(frozen=True)
class Life:
    """What became of one program under one policy."""

    name: str
    is_right: bool
    misses: int
    """Calls of removed functions."""
    fell_back: bool
    """Whether the full kernel took over."""

    def line(self) -> str:
        right = "right" if self.is_right else "WRONG"
        return f"{self.name}\t{right}\t{self.misses}\t{int(self.fell_back)}"


def live(image: Path, chosen: Chosen, policy: str) -> Life:
    """Boots the image, of which nobody else uses this copy."""
    write_file(image, PLACE, chosen.prepared.bitcode.read_bytes())
    config = {"bitcode": PLACE, "coverage": "off", **POLICIES[policy]}
    machine = Machine(image, config=config, memory=default_memory(image), crashes=ATTEMPTS)
    output = io.BytesIO()
    text = TextOutput(output, completes_lines=False)
    misses = 0
    fell_back = False
    try:
        with Guest(machine, timeout=LIMIT, strict=False) as guest:
            for item in guest.items():
                if isinstance(item, Text):
                    text.write(item.data)
                elif isinstance(item, Restart):
                    fell_back = True
                elif isinstance(item, dict):
                    if item["event"] == "text_begin":
                        text.begin()
                    elif item["event"] == "text_end":
                        text.end()
                    elif item["event"] == "trap" and item.get("removed"):
                        misses += 1
            got = Outcome(guest.wait_exit(), output.getvalue())
    except GuestError:
        got = Outcome(-1, output.getvalue(), hung=True)
    name = f"{chosen.suite}/{chosen.name}, {policy}"
    return Life(name, chosen.prepared.is_right(got), misses, fell_back)


def table(lives: Sequence[Life], sizes: tuple[int, int], removed: int) -> str:
    """Of all of them; sizes: bytes in memory of the full kernel and of the trimmed one."""
    missed = [life for life in lives if life.misses]
    misses = sum(life.misses for life in lives)
    full, trimmed = sizes
    rows = [
        ("functions removed", f"{removed:,}"),
        ("bytes in memory, full and trimmed", f"{full:,}, {trimmed:,} ({1 - trimmed / full:.0%} less)"),
        ("runs of the other half", str(len(lives))),
        ("wrong outputs or statuses", str(sum(not life.is_right for life in lives))),
        ("runs that missed a function", f"{len(missed)} ({len(missed) / max(len(lives), 1):.0%})"),
        ("misses, of each such run", f"{misses}, {misses / max(len(missed), 1):.1f}"),
        ("of these, went on in the same boot", str(sum(not life.fell_back for life in missed))),
        ("the full kernel took over", str(sum(life.fell_back for life in lives))),
        (
            "right in the end, of those that missed",
            f"{sum(life.is_right for life in missed)} of {len(missed)}",
        ),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def main(argv: Sequence[str]) -> int:
    """See above; returns the exit status."""
    given = dict(argument.split("=", 1) for argument in argv)
    listed = Path(given["second"])
    second = [Chosen.from_fields(said) for said in json.loads(listed.read_text())]
    runs = [(chosen, policy) for chosen in second for policy in RUN_UNDER]
    workers = int(given["jobs"])
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        copies: queue.Queue[Path] = queue.Queue()
        for number in range(workers):
            copies.put(copy_image(given["image"], Path(folder) / f"{number}.img"))

        def run(what: tuple[Chosen, str]) -> Life:
            copy = copies.get()
            try:
                return live(copy, *what)
            finally:
                copies.put(copy)

        lives = []
        with listed.with_name("debloat.tsv").open("w") as log:
            for life in pool.map(run, runs):
                log.write(life.line() + "\n")
                log.flush()
                lives.append(life)
    sizes = [parse_header(Path(given[name]).read_bytes()).memory_size for name in ("full", "trimmed")]
    removed = len(Path(given["removed"]).read_text().splitlines())
    print(table(lives, (sizes[0], sizes[1]), removed))
    return 0 if all(life.is_right for life in lives) else 1


if __name__ == "__main__":
    sys.exit(outside.call("conformance", main, sys.argv[1:]))
