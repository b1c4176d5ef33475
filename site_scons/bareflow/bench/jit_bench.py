"""What `./bareflow variant=full bench` does: the JIT's measurements, next to native's in the same run.

    python -m bareflow.bench.jit_bench image=FILE native=FILE sizes=FILE

Both images hold the same model. Boots of full on a fresh disk, of full again on the disk which that one
left, and of native take turns, REPETITIONS times, and tell the same story until TOKENS tokens are told; of
times the least counts, of speeds the most, because everything else on the machine only ever slows down. Then
the speeds of full on a used disk and of native are compared for stories of several lengths, PAIRS times, and
each of LEVELS is measured in a boot of its own. The tables go to standard output. The status is 1 when
stories differ, or when a boot on the disk of an earlier one compiled anything.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bareflow import program
from bareflow.bench import jit_table
from bareflow.bench.jit_session import Session, tell_stories
from bareflow.bench.jit_table import LENGTHS, PHASES
from bareflow.qemu.guest import Guest, GuestError
from bareflow.qemu.machine import Machine, QemuError
from bareflow.run.run import default_memory

LARGEST_MATRIX = "gate_up"
"""Of a layer."""
REPETITIONS = 3
PAIRS = 5
TURNS = 2
"""Of the levels."""
TOKENS = PHASES[-1][1]
STORY = {"mode": "interactive", "temperature": 0}
SHORT = LENGTHS[0]
PROMPT = "Once upon a time"
LIMIT = 600.0
"""Seconds after which a boot counts as hung."""
FIRST, AGAIN, NATIVE = "first boot", "second boot", "native"

INTERPRETER = "interpreter (the AVX2 kernel)"
# Of what is not called often, nothing is compiled; what is, for the highest level allowed, at once.
_AT_ONCE: dict[str, object] = {"jit.thresholds": "20,20,20,20", "jit.budget": 100}
LEVELS: dict[str, dict[str, object]] = {
    # What SSE2's kernels have written out in assembly cannot be interpreted; what is interpreted is the same
    # whatever the width, but for fewer and wider operations.
    INTERPRETER: {
        "jit.max_level": "interpreter",
        "jit.interpret_loops": 99,
        "vector": "avx2",
    },
    "O0": {**_AT_ONCE, "jit.max_level": "O0"},
    "O1": {**_AT_ONCE, "jit.max_level": "O1"},
    "O2": {**_AT_ONCE, "jit.max_level": "O2", "jit.specialise": "off"},
    "O2 specialised": {**_AT_ONCE, "jit.max_level": "O2"},
    "O3": {**_AT_ONCE, "jit.specialise": "off"},
    "O3 specialised": {**_AT_ONCE},
}


def _tell(image: Path, *, snapshot: bool, steps: int = SHORT) -> Session:
    machine = Machine(
        image, config={**STORY, "steps": steps}, memory=default_memory(image), snapshot=snapshot
    )
    return tell_stories(machine, PROMPT, TOKENS, LIMIT)


def _progress(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def take_turns(full: Path, native: Path) -> dict[str, list[Session]]:
    """The boots that tell stories."""
    boots: dict[str, list[Session]] = {FIRST: [], AGAIN: [], NATIVE: []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1, REPETITIONS + 1):
            _progress(f"boots that tell {TOKENS} tokens, turn {number} of {REPETITIONS}")
            disk = Path(folder) / "disk.img"
            shutil.copyfile(full, disk)
            boots[FIRST].append(_tell(disk, snapshot=False))
            boots[AGAIN].append(_tell(disk, snapshot=False))
            boots[NATIVE].append(_tell(native, snapshot=True))
    return boots


def pairs_by_length(full: Path, native: Path) -> dict[int, list[tuple[float, float]]]:
    """Tokens per second of processor time in the end, of full on a disk that a boot has left, and of
    native."""
    found: dict[int, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for length in LENGTHS:
            _progress(f"stories of {length} tokens")
            disk = Path(folder) / f"{length}.img"
            shutil.copyfile(full, disk)
            _tell(disk, snapshot=False, steps=length)
            found[length] = []
            for _ in range(PAIRS):
                again, other = (_tell(image, snapshot=True, steps=length) for image in (disk, native))
                found[length].append((again.final_processor_rate, other.final_processor_rate))
    return found


def matmul_cycles(image: Path, config: Mapping[str, object]) -> float:
    """Cycles of one product of a layer's largest matrix: the least."""
    machine = Machine(
        image,
        config={"mode": "bench", "steps": 1, "temperature": 0, **config},
        memory=default_memory(image),
        cpu="max" if config.get("vector") == "avx2" else None,
    )
    with Guest(machine, timeout=LIMIT) as guest:
        guest.wait_exit()
        found = [event for event in guest.events if event.get("matrix") == LARGEST_MATRIX]
    return float(found[0]["min"])


def all_matmul_cycles(full: Path, native: Path) -> dict[str, float]:
    """The same on every level, and of native."""
    found: dict[str, float] = {}
    for turn in range(1, TURNS + 1):
        for name, config in {**LEVELS, NATIVE: {}}.items():
            if turn > 1 and name == INTERPRETER:
                continue  # long enough
            _progress(f"matmul, turn {turn} of {TURNS}: {name}")
            cycles = matmul_cycles(native if name == NATIVE else full, config)
            found[name] = min(cycles, found.get(name, cycles))
    return found


def complaints(boots: Mapping[str, Sequence[Session]]) -> list[str]:
    """What must not be."""
    texts = {story.text for group in boots.values() for boot in group for story in boot.stories}
    compiled = max(boot.stories[-1].costs["compiled"] for boot in boots[AGAIN])
    return [
        *(["the stories differ"] if len(texts) != 1 else []),
        *([f"a second boot compiled {compiled} functions"] if compiled else []),
    ]


def main(argv: Sequence[str]) -> int:
    """Measures the images named in argv and prints the tables; returns the exit status."""
    files = {key: Path(value) for key, value in (item.split("=", 1) for item in argv)}
    full, native = files["image"], files["native"]
    try:
        load = os.getloadavg()[0]
        boots = take_turns(full, native)
        jit = {name: group for name, group in boots.items() if name != NATIVE}
        columns = list(boots)
        rows = [*jit_table.start_rows(boots), *jit_table.speed_rows(boots, NATIVE)]
        print(jit_table.render(f"QEMU, TCG; load {load:.1f} at the start", columns, rows))
        print("\n" + jit_table.render("the JIT", list(jit), jit_table.cost_rows(jit)), flush=True)
        rows = jit_table.length_rows(pairs_by_length(full, native))
        print("\n" + jit_table.render("by length", jit_table.length_columns(), rows), flush=True)
        sizes = json.loads(files["sizes"].read_text())
        rows = jit_table.size_rows(sizes, full.stat().st_size)
        print("\n" + jit_table.render("sizes", ["MiB"], rows), flush=True)
        cycles = all_matmul_cycles(full, native)
        columns = ["cycles", "native / it", "slowest / it"]
        print("\n" + jit_table.render("matmul", columns, jit_table.matmul_rows(cycles, NATIVE)))
    except (QemuError, GuestError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    wrong = complaints(boots)
    for complaint in wrong:
        print(f"bench: {complaint}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(program.call("bench", main, sys.argv[1:]))
