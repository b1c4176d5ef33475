"""The Linux program's speed with GGUF models next to llama.cpp's on the same processor, one thread each.

Both take turns, and of their speeds the most counts, because everything else on the machine only ever slows
them down. llama.cpp has its default, a KV cache of binary16, which is half as much to read as one of float32;
llama-bench does not take the latter.
"""

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bareflow.bench.case import Case, progress, take_turns
from bareflow.bench.linux_session import LIMIT, LinuxRunError, run
from bareflow.bench.tables import Row, render
from bareflow.models.synthetic_gguf import MIXTURES, SHAPES, write_model

TURNS = 2
DEPTHS = (16, 480, 900)
GENERATED = 32
"""Tokens generated at a depth."""
PROMPTS = (192, 896)
KV = ("f16", "f32")
FIRST_ID = 3
"""Of the prompts, which count up from it: what ids mean does not matter, but for those of control tokens."""
WIDTHS = (12, 12, 9, 9, 12)


@dataclass(frozen=True)
class Test:
    """A speed that both programs have: of a prompt, or of generation behind one."""

    prompt: int
    generated: int
    kv: str

    @property
    def name(self) -> str:
        if self.generated:
            return f"generation at depth {self.prompt}, {self.kv}"
        return f"prompt of {self.prompt}, {self.kv}"


TESTS = [
    *(Test(depth, GENERATED, kv) for kv in KV for depth in DEPTHS),
    *(Test(prompt, 0, KV[0]) for prompt in PROMPTS),
]


@dataclass(frozen=True)
class Speed:
    """Tokens/s, and the bytes that a generated token reads: weights, keys and values."""

    rate: float
    bytes_per_token: float = 0.0


@dataclass(frozen=True)
class Found:
    """A model's speeds by test and program, and how fast a loop reads its weights."""

    name: str
    memory: float
    speeds: Mapping[Test, Mapping[str, Speed]]


OURS, THEIRS = "BareFlow", "llama.cpp"


def llama_bench(arguments: Mapping[str, str]) -> Iterator[Case[Any]]:
    """program= next to llama_bench=, llama.cpp's program llama-bench, with model=, or with made-up models of
    all sizes and types, each of which is a file only while it is measured. Other arguments are settings of
    program=."""
    settings = {key: value for key, value in arguments.items() if value}
    program, other = Path(settings.pop("program")), Path(settings.pop("llama_bench"))
    if model := settings.pop("model", ""):
        measure = partial(_measure, program, other, settings, Path(model).name, Path(model))
        yield Case(measure, lambda found: [speed_table(found)])
        return
    for size in SHAPES:
        for mixture in MIXTURES:
            measure = partial(_measure_made_up, program, other, settings, size, mixture)
            yield Case(measure, lambda found: [speed_table(found)])


def _measure_made_up(
    program: Path, other: Path, settings: Mapping[str, str], size: str, mixture: str
) -> Found:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.gguf"
        write_model(file, SHAPES[size], mixture)
        return _measure(program, other, settings, f"{size} {mixture}", file)


def _measure(program: Path, other: Path, settings: Mapping[str, str], name: str, model: Path) -> Found:
    weights, memory = _memory(program, model, settings)
    speeds = {}
    for test in TESTS:
        progress(f"{name}: {test.name}")
        columns: dict[str, Callable[[], Speed]] = {
            OURS: partial(_our_speed, program, model, settings, test, weights),
            THEIRS: partial(_their_speed, other, model, test),
        }
        turns = take_turns(columns, TURNS)
        speeds[test] = {key: max(found, key=lambda speed: speed.rate) for key, found in turns.items()}
    return Found(name, memory, speeds)


def _our_speed(program: Path, model: Path, settings: Mapping[str, str], test: Test, weights: int) -> Speed:
    ids = ",".join(str(FIRST_ID + i) for i in range(test.prompt))
    given = {"model": model, "mode": "generate", "temperature": 0, **settings}
    steps = test.prompt + (test.generated or 1)
    _, events = run(program, Path("/"), {**given, "prompt_ids": ids, "steps": steps, "kv": test.kv})
    told = {event["event"]: event for event in events}
    if not test.generated:
        return Speed(float(told["generate"]["prompt_tokens_per_s"]))
    cache = told["kv_cache"]
    position = cache["bytes"] / cache["positions"]
    return Speed(
        float(told["generate"]["tokens_per_s"]), weights + position * (test.prompt + test.generated / 2)
    )


def _their_speed(program: Path, model: Path, test: Test) -> Speed:
    generation = ("-p", "0", "-n", str(test.generated), "-d", str(test.prompt))
    counts = generation if test.generated else ("-p", str(test.prompt), "-n", "0")
    command = [str(program), *"-t 1 -r 1 -o json -m".split(), str(model), *counts]
    result = subprocess.run(command, capture_output=True, timeout=LIMIT, check=False)
    if result.returncode:
        last = (result.stderr.decode(errors="replace").splitlines() or [""])[-1]
        raise LinuxRunError(f"{program} ended with status {result.returncode}: {last}")
    return Speed(float(json.loads(result.stdout)[0]["avg_ts"]))


def _memory(program: Path, model: Path, settings: Mapping[str, str]) -> tuple[int, float]:
    """Bytes of weights per token, and bytes per second at which a loop reads them."""
    _, events = run(program, Path("/"), {"model": model, "mode": "bench", "steps": 1, **settings})
    told = next(event for event in events if event.get("name") == "memory")
    return int(told["weight_bytes_per_token"]), float(told["bytes_per_s"])


def _cells(speeds: Mapping[str, Speed], memory: float) -> Sequence[str]:
    ours, theirs = speeds[OURS], speeds[THEIRS]
    cells = [f"{ours.rate:.1f}", f"{theirs.rate:.1f}", f"{ours.rate / theirs.rate:.2f}"]
    if not ours.bytes_per_token:
        return cells
    read = ours.rate * ours.bytes_per_token
    return [*cells, f"{read / 1e9:.1f}", f"{read / memory:.0%}"]


def speed_table(found: Found) -> str:
    """Tokens/s of both programs, and what BareFlow reads of memory."""
    rows: list[Row] = [(test.name, _cells(speeds, found.memory)) for test, speeds in found.speeds.items()]
    columns = (OURS, THEIRS, "ratio", "GB/s", "of memory")
    table = render(f"{found.name}, tokens/s", columns, rows, name_width=34, widths=WIDTHS)
    return f"{table}\nweights are read at {found.memory / 1e9:.1f} GB/s by a loop that does nothing else"
