"""The JIT of the Linux program next to code compiled ahead of time, on this processor.

All programs run on one thread. Of speeds the most counts and of cycles the least, because everything else on
the machine only ever slows a run down.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bareflow.bench import tables
from bareflow.bench.case import Case, progress, take_turns
from bareflow.bench.linux_session import (
    Generations,
    generate_texts,
    make_root,
    measure_products,
    processor_rate,
    record,
)
from bareflow.bench.tables import LENGTHS, Row, render
from bareflow.models.synthetic_model import MAGIC, ModelConfig, random_checkpoint, tokenizer

REPETITIONS = 3
TEXTS = 1000
FIRST_TEXTS = 3000
"""Until all that is due has been compiled and tried."""
SHORT_TEXT: dict[str, object] = {"steps": 64}
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

GENERAL: dict[str, object] = {**AT_ONCE, "jit.specialise": "off"}
MODEL_TEXTS = 5000
"""Enough for versions for the other model's arguments to be worth what they are expected to cost."""
OTHER_MODEL = ModelConfig(dim=96, hidden=256, layers=4, heads=6, kv_heads=3, vocabulary=384)
SEED = 1


def jit_bench(arguments: Mapping[str, str]) -> list[Case[Any]]:
    """The JIT on this processor, program=, next to the same sources compiled ahead of time: native=, and
    host= with -march=native. model= and tokenizer=, which GGUF's models do without, are given to all of
    them."""
    keys = ("program", "native", "host", "model", "tokenizer")
    files = {key: Path(arguments[key]) for key in keys if key in arguments}
    return [
        Case(partial(_in_folder, _speeds, files), _speed_tables, lambda found: complaints(found[0])),
        Case(partial(_in_folder, _models, files), _model_tables, _model_complaints),
    ]


def _in_folder(measure: Callable[[Mapping[str, Path], Path], Any], files: Mapping[str, Path]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        return measure(files, Path(folder))


Pairs = dict[int, list[tuple[float, float]]]


@dataclass
class Column:
    """A way to make and run the program, and what it did."""

    program: Path
    config: Mapping[str, object]
    generations: list[Generations] = field(default_factory=list)
    cycles: dict[str, float] = field(default_factory=dict)
    """Of one product with each matrix: the least."""
    bits: set[tuple[bytes, bytes]] = field(default_factory=set)

    @property
    def rate(self) -> float:
        """Tokens per second in the end."""
        return max(max(run.rates[-TEXTS // 2 :]) for run in self.generations)

    @property
    def first_rate(self) -> float:
        """Of the first text of a run."""
        return max(run.rates[0] for run in self.generations)


def _measure_products(column: Column, root: Path, config: Mapping[str, object]) -> None:
    for matrix, cycles in measure_products(column.program, root, config).items():
        column.cycles[matrix] = min(cycles, column.cycles.get(matrix, cycles))


def _first_run(column: Column, model: Path, tokenizer: Path | None, folder: Path) -> Path:
    """Runs, each in a new folder. The one with the texts."""
    texts, products, bits = (make_root(folder / name, model, tokenizer) for name in "spb")
    column.generations.append(
        generate_texts(column.program, texts, SHORT_TEXT | UNLIMITED, PROMPT, FIRST_TEXTS)
    )
    _measure_products(column, products, AT_ONCE)
    column.bits.add(record(column.program, bits, SHORT_TEXT))
    return texts


def _run(column: Column, root: Path) -> None:
    config = {**SHORT_TEXT, **column.config}
    column.generations.append(generate_texts(column.program, root, config, PROMPT, TEXTS))
    _measure_products(column, root, column.config)
    column.bits.add(record(column.program, root, config))


def _columns(files: Mapping[str, Path], folder: Path) -> dict[str, Column]:
    """Measures all columns. The JIT's second run is in the folder that the first one has left."""
    full, native, host = files["program"], files["native"], files["host"]
    model, tokenizer = files["model"], files.get("tokenizer")
    columns = {
        SSE2: Column(native, {"vector": "sse2"}),
        NATIVE: Column(native, {}),
        HOST: Column(host, {}),
        FIRST: Column(full, {}),
        AGAIN: Column(full, {}),
    }
    root = make_root(folder / "native", model, tokenizer)
    left: list[Path] = []

    def first_run() -> None:
        new = Path(tempfile.mkdtemp(dir=folder))
        left.append(_first_run(columns[FIRST], model, tokenizer, new))

    runs: dict[str, Callable[[], None]] = {
        name: partial(_run, columns[name], root) for name in (SSE2, NATIVE, HOST)
    }
    runs |= {FIRST: first_run, AGAIN: lambda: _run(columns[AGAIN], left[-1])}
    take_turns(runs, REPETITIONS, "turn {turn} of {turns}")
    return columns


def _pairs_by_length(files: Mapping[str, Path], folder: Path) -> Pairs:
    """Tokens per second of processor time, of full in a folder that a long run has left, and of native."""
    full, native = files["program"], files["native"]
    model = files["model"], files.get("tokenizer")
    found = {}
    for length in LENGTHS:
        progress(f"texts of {length} tokens")
        few, many = FEW_TOKENS // length, MANY_TOKENS // length
        config = {"steps": length, **UNLIMITED}
        left = make_root(folder / f"length{length}", *model)
        other = make_root(folder / f"native{length}", *model)
        generate_texts(full, left, config, PROMPT, 2 * many)
        columns = {
            AGAIN: partial(processor_rate, full, left, config, PROMPT, few, many),
            NATIVE: partial(processor_rate, native, other, config, PROMPT, few, many),
        }
        rates = take_turns(columns, PAIRS)
        found[length] = list(zip(rates[AGAIN], rates[NATIVE], strict=True))
    return found


def speed_rows(columns: Mapping[str, Column]) -> list[Row]:
    """Tokens per second."""

    def row(name: str, value: Callable[[Column], str]) -> Row:
        return name, [value(column) for column in columns.values()]

    return [
        row("tokens/s, first text", lambda column: f"{column.first_rate:.0f}"),
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


def _speeds(files: Mapping[str, Path], folder: Path) -> tuple[dict[str, Column], Pairs]:
    columns = _columns(files, folder)
    return columns, _pairs_by_length(files, folder)


def _speed_tables(measured: tuple[Mapping[str, Column], Pairs]) -> list[str]:
    columns, pairs = measured
    return [
        render("this processor, one thread", list(columns), speed_rows(columns)),
        *tables.length_tables(pairs),
        render("cycles of a product", list(columns), product_rows(columns)),
    ]


def complaints(columns: Mapping[str, Column]) -> list[str]:
    """What must not be."""
    bits = columns[NATIVE].bits
    compiled = max(run.costs["compiled"] for run in columns[AGAIN].generations)
    return [
        *(f"{name} gives other bits than {NATIVE}" for name in columns if columns[name].bits != bits),
        *(["native's own bits differ"] if len(bits) != 1 else []),
        *([f"a second run compiled {compiled} functions"] if compiled else []),
    ]


@dataclass(frozen=True)
class Model:
    """A model, and what was measured with it."""

    name: str
    general: Mapping[str, float]
    """Cycles of a product by matrix: of code that is not specialised."""
    specialised: Mapping[str, float]
    native: Mapping[str, float]
    generated: Generations
    same_bits: bool

    @property
    def compiled_again(self) -> list[str]:
        """The functions that were compiled again because of their arguments."""
        tiers = [event for event in self.generated.events if event["event"] == "tier"]
        return [event["function"] for event in tiers if event["reason"] == "new arguments"]


def make_other(like: Path, folder: Path) -> tuple[Path, Path]:
    """A made-up model with other hyperparameters, with weights of the same kind (float32 or int8), and its
    tokenizer."""
    header = like.read_bytes()[:8]
    kind = "v2" if header == MAGIC.to_bytes(4, "little") + b"\2\0\0\0" else "v0"
    model, words = folder / "other.bin", folder / "other_tokenizer.bin"
    model.write_bytes(random_checkpoint(kind, OTHER_MODEL, SEED))
    words.write_bytes(tokenizer(OTHER_MODEL.vocabulary))
    return model, words


def _models(files: Mapping[str, Path], folder: Path) -> list[Model]:
    """The model given, another one in the folder that it has left, and itself there once more."""
    progress("another model")
    full, native = files["program"], files["native"]
    given = files["model"], files.get("tokenizer")
    found = []
    root = folder / "models"
    for name, model in {"given": given, "other": make_other(given[0], folder), "given again": given}.items():
        make_root(root, *model)
        alone = make_root(folder / f"alone-{name}", *model)
        generated = generate_texts(full, root, SHORT_TEXT | UNLIMITED, PROMPT, MODEL_TEXTS)
        found.append(
            Model(
                name,
                general=measure_products(full, alone, GENERAL),
                specialised=measure_products(full, root, {}),
                native=measure_products(native, alone, {}),
                generated=generated,
                same_bits=record(full, root, SHORT_TEXT | UNLIMITED) == record(native, alone, SHORT_TEXT),
            )
        )
    return found


def model_rows(models: list[Model]) -> list[Row]:
    """Cycles of products by model and matrix."""
    found: list[Row] = []
    for model in models:
        for matrix in model.general:
            general, special = model.general[matrix], model.specialised[matrix]
            values = [f"{general:.0f}", f"{special:.0f}", f"{general / special:.2f}"]
            found.append((f"{model.name}: {matrix}", [*values, f"{model.native[matrix]:.0f}"]))
    return found


def _model_tables(models: list[Model]) -> list[str]:
    columns = ("general", "specialised", "ratio", "native")
    lines = [render("two models, one folder", columns, model_rows(models))]
    for model in models:
        lines.append(
            f"{model.name}: compiled again for its arguments: {', '.join(model.compiled_again) or 'nothing'}"
        )
    return ["\n".join(lines)]


def _model_complaints(models: list[Model]) -> list[str]:
    return [f"{model.name}: other bits than native's" for model in models if not model.same_bits]
