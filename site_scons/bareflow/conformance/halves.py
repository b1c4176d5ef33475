"""Two halves of a seeded sample of the programs: one to trim `full` by, the other to run on what that makes.

    python -m bareflow.conformance.halves top=DIR folder=DIR toolchain=FILE full=FILE programs=N each=N jobs=N

Only programs that pass in `full` as a Linux program count. Of the first half workload.toml in the folder
makes a recording; second.json lists the other.
"""

import base64
import json
import random
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bareflow import program as outside
from bareflow.conformance.conformance import all_programs
from bareflow.conformance.execution import POLICIES, Outcome, run_linux
from bareflow.conformance.prepared import Prepared, prepare
from bareflow.conformance.programs import Program
from bareflow.conformance.toolchain import Toolchain

SEED = 18
RUN_UNDER = ("default", "specialised")
"""Policies: as it comes, and with everything compiled, with clones."""
BOOTED = 3
"""Of the recorded programs; how LLVM starts in the machine, as a Linux program it does not."""
TIMEOUT = 600
MEMORY = 256
PLACE = "/PROGRAM.BC"


@dataclass(frozen=True)
class Chosen:
    """A program that passes."""

    suite: str
    name: str
    prepared: Prepared

    def as_fields(self) -> dict[str, Any]:
        """For JSON."""
        wanted = self.prepared.wanted
        output = wanted.output if wanted else None
        return {
            "suite": self.suite,
            "name": self.name,
            "bitcode": str(self.prepared.bitcode),
            "status": wanted.status if wanted else None,
            "output": None if output is None else base64.b64encode(output).decode(),
        }

    @staticmethod
    def from_fields(said: dict[str, Any]) -> "Chosen":
        output = None if said["output"] is None else base64.b64decode(said["output"])
        wanted = None if said["status"] is None else Outcome(said["status"], output)
        return Chosen(said["suite"], said["name"], Prepared(Path(said["bitcode"]), wanted))


def _choose(toolchain: Toolchain, full: Path, program: Program, folder: Path) -> Chosen | None:
    """Prepares a program in a folder of its own, which is left if it passes."""
    (folder / "profile").mkdir(parents=True)
    made = prepare(toolchain, program, folder)
    if isinstance(made, Prepared):
        outcomes = (run_linux(full, made.bitcode, POLICIES[policy]) for policy in RUN_UNDER)
        if all(map(made.is_right, outcomes)):
            return Chosen(program.suite, program.name, made)
    shutil.rmtree(folder)
    return None


def workload_text(chosen: Sequence[Chosen]) -> str:
    """Of what is recorded of the first half, in the form of variants/workload.toml."""
    parts = [f"timeout = {TIMEOUT}\nmemory = {MEMORY}\n"]
    for number, each in enumerate(chosen):
        code = each.prepared.wanted.status if each.prepared.wanted else 0
        for policy in RUN_UNDER:
            config = {"bitcode": PLACE, **POLICIES[policy]}
            pairs = ", ".join(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in config.items())
            run = [
                "[[run]]",
                f"name = {json.dumps(f'{each.suite}/{each.name}, {policy}')}",
                f"config = {{ {pairs} }}",
                f"code = {code}",
                f"files = {{ {json.dumps(PLACE)} = {json.dumps(str(each.prepared.bitcode))} }}",
                # What one disk keeps of boots is of one program.
                "alone = true" if number < BOOTED else 'platform = "linux"',
            ]
            parts.append("\n".join([*run, ""]))
    return "\n".join(parts)


def main(argv: Sequence[str]) -> int:
    """See above; returns the exit status."""
    given = dict(argument.split("=", 1) for argument in argv)
    folder, each = Path(given["folder"]), int(given["each"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    every = all_programs(Path(given["top"]), folder, int(given["programs"]))
    runnable = [program for program in every if not program.not_applicable]
    sample = random.Random(SEED).sample(runnable, min(len(runnable), 3 * each))
    toolchain, full = Toolchain.read(Path(given["toolchain"])), Path(given["full"])

    def choose(numbered: tuple[int, Program]) -> Chosen | None:
        number, program = numbered
        return _choose(toolchain, full, program, folder / str(number))

    with ThreadPoolExecutor(int(given["jobs"])) as pool:
        found = [chosen for chosen in pool.map(choose, enumerate(sample)) if chosen]
    half = min(each, len(found) // 2)
    (folder / "second.json").write_text(
        json.dumps([chosen.as_fields() for chosen in found[half : 2 * half]], indent=1)
    )
    (folder / "workload.toml").write_text(workload_text(found[:half]))
    return 0


if __name__ == "__main__":
    sys.exit(outside.call("conformance", main, sys.argv[1:]))
