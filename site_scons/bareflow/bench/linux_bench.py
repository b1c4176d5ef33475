"""What `./bareflow platform=linux variant=full bench` does: the JIT on this processor, next to the same
sources compiled ahead of time in several ways, in one run.

    python -m bareflow.bench.linux_bench program=FILE native=FILE host=FILE model=FILE tokenizer=FILE

The programs take turns, REPETITIONS times; of speeds the most counts and of cycles the least, because
everything else on the machine only ever slows down. All of them run on one thread. Then full's speed by
processor time is compared with native's for stories of several lengths, PAIRS times. The tables go to
standard output. The status is 1 when any of them gives other bits than native, or when a second run compiled
anything.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bareflow import program
from bareflow.bench import jit_table, shape_bench
from bareflow.bench.jit_table import LENGTHS, Row
from bareflow.bench.linux_session import (
    LinuxRunError,
    Stories,
    make_root,
    measure_products,
    processor_rate,
    record,
    tell_stories,
)

REPETITIONS = 3
STORIES = 1000
FIRST_STORIES = 3000
"""Until all that is due has been compiled and tried."""
STORY: dict[str, object] = {"steps": 64}
PAIRS = 5
FEW_TOKENS, MANY_TOKENS = 25_000, 150_000
"""Of the runs whose difference is measured."""
PROMPT = "Once upon a time"
SSE2, NATIVE, HOST = "SSE2, AOT", "native", "march=native"
FIRST, AGAIN = "full, 1st run", "full, 2nd run"
# The budget for compiling is one of time on the wall, which on a busy machine is not all the program's.
UNLIMITED: dict[str, object] = {"jit.budget": 100}
# What is called often is compiled for the highest level at once.
AT_ONCE: dict[str, object] = {"jit.thresholds": "20,20,20,20", "jit.budget": 100}


@dataclass
class Column:
    """A way to make and run the program, and what it did."""

    program: Path
    config: Mapping[str, object]
    stories: list[Stories] = field(default_factory=list)
    cycles: dict[str, float] = field(default_factory=dict)
    """Of one product with each matrix: the least."""
    bits: set[tuple[bytes, bytes]] = field(default_factory=set)

    @property
    def rate(self) -> float:
        """Tokens per second in the end."""
        return max(max(told.rates[-STORIES // 2 :]) for told in self.stories)

    @property
    def first_rate(self) -> float:
        """Of the first story of a run."""
        return max(told.rates[0] for told in self.stories)


def _progress(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _measure_products(column: Column, root: Path, config: Mapping[str, object]) -> None:
    for matrix, cycles in measure_products(column.program, root, config).items():
        column.cycles[matrix] = min(cycles, column.cycles.get(matrix, cycles))


def _first_run(column: Column, model: Path, tokenizer: Path, folder: Path) -> Path:
    """Runs, each in a new folder. The one that stories were told in."""
    stories, products, bits = (make_root(folder / name, model, tokenizer) for name in "spb")
    column.stories.append(tell_stories(column.program, stories, STORY | UNLIMITED, PROMPT, FIRST_STORIES))
    _measure_products(column, products, AT_ONCE)
    column.bits.add(record(column.program, bits, STORY))
    return stories


def _run(column: Column, root: Path) -> None:
    config = {**STORY, **column.config}
    column.stories.append(tell_stories(column.program, root, config, PROMPT, STORIES))
    _measure_products(column, root, column.config)
    column.bits.add(record(column.program, root, config))


def take_turns(files: Mapping[str, Path], folder: Path) -> dict[str, Column]:
    """Measures all columns. The JIT's second run is in the folder that the first one has left."""
    full, native, host = files["program"], files["native"], files["host"]
    model, tokenizer = files["model"], files["tokenizer"]
    columns = {
        SSE2: Column(native, {"vector": "sse2"}),
        NATIVE: Column(native, {}),
        HOST: Column(host, {}),
        FIRST: Column(full, {}),
        AGAIN: Column(full, {}),
    }
    root = make_root(folder / "native", model, tokenizer)
    for number in range(1, REPETITIONS + 1):
        _progress(f"turn {number} of {REPETITIONS}")
        for name in (SSE2, NATIVE, HOST):
            _run(columns[name], root)
        left = _first_run(columns[FIRST], model, tokenizer, folder / f"full{number}")
        _run(columns[AGAIN], left)
    return columns


def pairs_by_length(files: Mapping[str, Path], folder: Path) -> dict[int, list[tuple[float, float]]]:
    """Tokens per second of processor time, of full in a folder that a long run has left, and of native."""
    full, native = files["program"], files["native"]
    found: dict[int, list[tuple[float, float]]] = {}
    for length in LENGTHS:
        _progress(f"stories of {length} tokens")
        few, many = FEW_TOKENS // length, MANY_TOKENS // length
        config = {"steps": length, **UNLIMITED}
        roots = [
            make_root(folder / f"{name}{length}", files["model"], files["tokenizer"])
            for name in ("length", "native")
        ]
        tell_stories(full, roots[0], config, PROMPT, 2 * many)
        found[length] = []
        for _ in range(PAIRS):
            again, other = (
                processor_rate(program, root, config, PROMPT, few, many)
                for program, root in zip((full, native), roots, strict=True)
            )
            found[length].append((again, other))
    return found


def speed_rows(columns: Mapping[str, Column]) -> list[Row]:
    """Tokens per second."""

    def row(name: str, value: Callable[[Column], str]) -> Row:
        return name, [value(column) for column in columns.values()]

    return [
        row("tokens/s, first story", lambda column: f"{column.first_rate:.0f}"),
        row("tokens/s, steady state", lambda column: f"{column.rate:.0f}"),
        *(
            row(f"   of {name}", lambda column, name=name: f"{column.rate / columns[name].rate:.2f}")  # type: ignore[misc]
            for name in (SSE2, NATIVE, HOST)
        ),
    ]


def product_rows(columns: Mapping[str, Column]) -> list[Row]:
    """Cycles of products by matrix, and how much faster than SSE2 the code is."""
    rows: list[Row] = []
    for matrix in columns[SSE2].cycles:
        cycles = [column.cycles[matrix] for column in columns.values()]
        rows.append((matrix, [f"{value:.0f}" for value in cycles]))
        rows.append((f"   {SSE2} / it", [f"{cycles[0] / value:.2f}" for value in cycles]))
    return rows


def complaints(columns: Mapping[str, Column]) -> list[str]:
    """What must not be."""
    bits = columns[NATIVE].bits
    compiled = max(told.costs["compiled"] for told in columns[AGAIN].stories)
    return [
        *(f"{name} gives other bits than {NATIVE}" for name in columns if columns[name].bits != bits),
        *(["native's own bits differ"] if len(bits) != 1 else []),
        *([f"a second run compiled {compiled} functions"] if compiled else []),
    ]


def main(argv: Sequence[str]) -> int:
    """Measures the programs named in argv and prints the tables; returns the exit status."""
    files = {key: Path(value) for key, value in (item.split("=", 1) for item in argv)}
    with tempfile.TemporaryDirectory() as folder:
        try:
            columns = take_turns(files, Path(folder))
            pairs = pairs_by_length(files, Path(folder))
            _progress("another shape")
            models = shape_bench.measure(files, Path(folder))
        except LinuxRunError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
    names = list(columns)
    print(jit_table.render("this processor, one thread", names, speed_rows(columns)))
    lengths = jit_table.render("by length", jit_table.length_columns(), jit_table.length_rows(pairs))
    print("\n" + lengths)
    print("\n" + jit_table.render("cycles of a product", names, product_rows(columns)))
    shapes = jit_table.render("two shapes, one folder", shape_bench.COLUMNS, shape_bench.rows(models))
    print("\n" + shapes)
    for model in models:
        print(f"{model.name}: made anew for its arguments: {', '.join(model.anew) or 'nothing'}")
    wrong = complaints(columns)
    wrong += [f"{model.name}: other bits than native's" for model in models if not model.same_bits]
    for complaint in wrong:
        print(f"bench: {complaint}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(program.call("bench", main, sys.argv[1:]))
