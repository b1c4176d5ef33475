"""The benches of disk images, booted in QEMU.

Of times the least counts and of speeds the most, because everything else on the machine only ever slows a
boot down.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bareflow.bench import tables
from bareflow.bench.case import Case, progress, take_turns
from bareflow.bench.guest_session import MOST_MEMORY, Boot, Session, generate_texts, least_memory, time_boot
from bareflow.bench.tables import LENGTHS, PHASES, render
from bareflow.disk.image_copy import copy_image
from bareflow.errors import BareFlowError
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine
from bareflow.run.run import default_memory

LARGEST_MATRIX = "gate_up"
"""Of a layer."""
BOOTS = 9
REPETITIONS = 3
PAIRS = 5
TURNS = 2
"""Of the levels."""
TOKENS = PHASES[-1][1]
DIALOGUE = {"mode": "interactive", "temperature": 0, "life.settle": 0}
SHORT = LENGTHS[0]
PROMPT = "Once upon a time"
LIMIT = 600.0
"""Seconds after which a boot counts as hung."""
COUNTING = ("-icount", "shift=0,sleep=off")
"""Each instruction takes a nanosecond of the guest's clock, whatever the host does meanwhile."""
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


def boot_bench(arguments: Mapping[str, str]) -> list[Case[Any]]:
    """The way from QEMU's start to the first token of image=, and the least memory that it needs: what is
    printed after the guest's own tables."""
    image = Path(arguments["image"])

    def measure() -> tuple[list[Boot], int | None]:
        boots = take_turns({"": partial(time_boot, image, MOST_MEMORY)}, BOOTS)[""]
        complete = [boot for boot in boots if boot]
        memory = least_memory(image)
        if len(complete) < BOOTS or memory is None:
            raise BareFlowError(f"only {len(complete)} of {BOOTS} boots generated a text")
        return complete, memory

    return [Case(measure, lambda found: [tables.boot_table(*found)])]


def jit_bench(arguments: Mapping[str, str]) -> list[Case[Any]]:
    """The JIT's measurements, next to native's: image= is full's and native= native's, with the same model;
    sizes= is full's size.json."""
    full, native = Path(arguments["image"]), Path(arguments["native"])
    return [
        Case(partial(_boots, full, native), _boot_tables, complaints),
        Case(partial(_pairs_by_length, full, native), tables.length_tables),
        Case(
            partial(_instructions_by_length, full, native),
            partial(tables.length_tables, unit="tokens per 10^9 instructions"),
        ),
        Case(partial(_sizes, Path(arguments["sizes"]), full), _size_tables),
        Case(partial(_matmul_cycles, full, native), _matmul_tables),
    ]


@contextmanager
def _copy_of(image: Path) -> Iterator[Callable[[], Path]]:
    """A function that makes a fresh copy of the image, always the same file, which is removed in the end."""
    with tempfile.TemporaryDirectory() as folder:
        disk = Path(folder) / "disk.img"
        yield lambda: copy_image(image, disk)


def _session(
    image: Path,
    *,
    snapshot: bool,
    steps: int = SHORT,
    config: Mapping[str, object] | None = None,
    extra: Sequence[str] = (),
) -> Session:
    machine = Machine(
        image,
        config={**DIALOGUE, "steps": steps, **(config or {})},
        memory=default_memory(image),
        snapshot=snapshot,
        extra=extra,
    )
    return generate_texts(machine, PROMPT, TOKENS, LIMIT)


def _boots(full: Path, native: Path) -> tuple[float, dict[str, list[Session]]]:
    """The machine's load before, and boots that generate the same text until there are TOKENS tokens: of full
    on a fresh disk, of full on the disk which that one has left, and of native."""
    load = os.getloadavg()[0]
    with _copy_of(full) as fresh:
        disk = fresh()
        columns: dict[str, Callable[[], Session]] = {
            FIRST: lambda: _session(fresh(), snapshot=False),
            AGAIN: lambda: _session(disk, snapshot=False),
            NATIVE: lambda: _session(native, snapshot=True),
        }
        sentence = f"boots that generate {TOKENS} tokens, turn {{turn}} of {{turns}}"
        return load, take_turns(columns, REPETITIONS, sentence)


def _boot_tables(measured: tuple[float, dict[str, list[Session]]]) -> list[str]:
    load, boots = measured
    jit = {name: group for name, group in boots.items() if name != NATIVE}
    rows = [*tables.start_rows(boots), *tables.speed_rows(boots, NATIVE)]
    return [
        render(f"QEMU, TCG; load {load:.1f} at the start", list(boots), rows),
        render("the JIT", list(jit), tables.cost_rows(jit)),
    ]


def complaints(measured: tuple[float, Mapping[str, Sequence[Session]]]) -> list[str]:
    """That texts differ, or that a boot on the disk of an earlier one has compiled anything."""
    _, boots = measured
    texts = {text.text for group in boots.values() for boot in group for text in boot.generations}
    compiled = max(boot.generations[-1].costs["compiled"] for boot in boots[AGAIN])
    return [
        *(["the texts differ"] if len(texts) != 1 else []),
        *([f"a second boot compiled {compiled} functions"] if compiled else []),
    ]


def _pairs_by_length(full: Path, native: Path) -> dict[int, list[tuple[float, float]]]:
    """Tokens per second of processor time in the end, of full on a disk that a boot has left, and of
    native."""

    def rate(image: Path, length: int) -> float:
        return _session(image, snapshot=True, steps=length).final_processor_rate

    found = {}
    with _copy_of(full) as fresh:
        for length in LENGTHS:
            progress(f"texts of {length} tokens")
            disk = fresh()
            _session(disk, snapshot=False, steps=length)
            columns = {AGAIN: partial(rate, disk, length), NATIVE: partial(rate, native, length)}
            rates = take_turns(columns, PAIRS)
            found[length] = list(zip(rates[AGAIN], rates[NATIVE], strict=True))
    return found


def _instructions_by_length(full: Path, native: Path) -> dict[int, list[tuple[float, float]]]:
    """Tokens per 10^9 instructions in the end, of full on the disk of a boot that has compiled all that is
    called often, and of native."""
    # How long the guest waits for input depends on the host: meanwhile nothing is compiled.
    never_idle = {"jit.idle": "off"}

    def boot(image: Path, length: int, snapshot: bool, config: Mapping[str, object]) -> Session:
        return _session(image, snapshot=snapshot, steps=length, config=config, extra=COUNTING)

    def rates(disk: Path, length: int) -> tuple[float, float]:
        again, other = boot(disk, length, True, never_idle), boot(native, length, True, {})
        return again.final_rate, other.final_rate

    progress("texts by length, in instructions")
    with _copy_of(full) as fresh:
        disk = fresh()
        boot(disk, LENGTHS[-1], False, {**never_idle, "jit.budget": 100})
        return {length: [rates(disk, length)] for length in LENGTHS}


def _sizes(file: Path, image: Path) -> tuple[Mapping[str, object], int]:
    return json.loads(file.read_text()), image.stat().st_size


def _size_tables(measured: tuple[Mapping[str, object], int]) -> list[str]:
    return [render("sizes", ["MiB"], tables.size_rows(*measured))]


def _product_cycles(image: Path, config: Mapping[str, object]) -> float:
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


def _matmul_cycles(full: Path, native: Path) -> dict[str, float]:
    """The same on every level, each in a boot of its own, and of native."""
    columns: dict[str, Callable[[], float]] = {
        name: partial(_product_cycles, full, config) for name, config in LEVELS.items()
    }
    columns[NATIVE] = partial(_product_cycles, native, {})
    sentence = "matmul, turn {turn} of {turns}: {name}"
    # One turn of the interpreter is long enough.
    found = take_turns(columns, TURNS, sentence, once=(INTERPRETER,))
    return {name: min(cycles) for name, cycles in found.items()}


def _matmul_tables(cycles: Mapping[str, float]) -> list[str]:
    columns = ["cycles", "native / it", "slowest / it"]
    return [render("matmul", columns, tables.matmul_rows(cycles, NATIVE))]
