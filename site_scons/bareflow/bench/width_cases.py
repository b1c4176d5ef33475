"""The speed of the Linux program by vector width, on this processor, next to what its memory delivers.

All programs run on one thread. Of speeds the most counts, because everything else on the machine only ever
slows a run down.
"""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bareflow.bench.case import Case
from bareflow.bench.linux_session import LIMIT
from bareflow.bench.tables import render
from bareflow.events import parse_event

WIDTHS = ("sse2", "avx2", "avx512")
MARCH_NATIVE = "-O3 -march=native"
RUNS = 10
"""Of each vector width."""
PROMPT_IDS = range(3, 3 + 64)
"""A long prompt for every model: what the ids mean does not matter."""


def width_bench(arguments: Mapping[str, str]) -> list[Case[Any]]:
    """Tokens per second of program= by vector width, and of host=, the same program compiled with -O3
    -march=native, next to what this machine's memory could deliver. Other arguments are the program's.

    Each width generates the same text several times, each time in a process of its own.
    """
    options = {"mode": "generate", "temperature": "0"} | dict(arguments)
    program, host = options.pop("program"), options.pop("host")
    widths = [options.pop("vector")] if "vector" in options else WIDTHS
    columns: dict[str, Callable[[], WidthRun]] = {
        width: partial(_run_width, program, options | {"vector": width}) for width in widths
    }
    columns[MARCH_NATIVE] = partial(_run_width, host, options)

    def measure() -> Widths:
        memory = _measure_memory(program, options)
        return Widths(memory, {name: _fastest(run) for name, run in columns.items()})

    return [Case(measure, lambda found: [width_table(found)], width_complaints)]


@dataclass(frozen=True)
class WidthRun:
    """What runs of the program at a vector width have reported."""

    tokens_per_s: float = 0.0
    tokens: int = 0
    text: bytes = b""
    prompt_tokens_per_s: float = 0.0
    error: str = ""
    """Why there is nothing of this."""


@dataclass(frozen=True)
class Memory:
    """What one token reads, and how fast a loop that does nothing else reads the same weights."""

    weight_bytes_per_token: int
    bytes_per_s: int


@dataclass(frozen=True)
class Widths:
    """What width_bench measures."""

    memory: Memory | None
    """None where the program did not report it."""
    runs: Mapping[str, WidthRun]


def parse_output(text: bytes, events: bytes) -> WidthRun:
    """The numbers in the program's events (standard error), or what it complains of."""
    lines = events.decode(errors="replace").splitlines()
    for line in lines:
        event = parse_event(line)
        if event and event["event"] == "generate":
            rates = float(event["tokens_per_s"]), float(event["prompt_tokens_per_s"])
            return WidthRun(rates[0], int(event["tokens"]), text, rates[1])
    spoken = [
        line for line in lines + text.decode(errors="replace").splitlines() if line.startswith("error:")
    ]
    return WidthRun(error=spoken[-1] if spoken else "the program reported no speed")


def _run_program(program: str, options: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    command = [program, *(f"{key}={value}" for key, value in options.items())]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT)


def _run_width(program: str, options: Mapping[str, str]) -> WidthRun:
    """A text; and once more for the speed of a long prompt."""
    prompt = {"prompt_ids": ",".join(map(str, PROMPT_IDS)), "steps": str(len(PROMPT_IDS) + 1)}
    without = {key: value for key, value in options.items() if key != "prompt"}
    try:
        text, long = (_run_program(program, given) for given in (options, without | prompt))
    except (OSError, subprocess.TimeoutExpired) as error:
        return WidthRun(error=str(error))
    prompted = parse_output(long.stdout, long.stderr)
    return replace(parse_output(text.stdout, text.stderr), prompt_tokens_per_s=prompted.prompt_tokens_per_s)


def _measure_memory(program: str, options: Mapping[str, str]) -> Memory | None:
    try:
        result = _run_program(program, dict(options) | {"mode": "bench", "steps": "1"})
    except (OSError, subprocess.TimeoutExpired):
        return None
    for line in result.stderr.decode(errors="replace").splitlines():
        event = parse_event(line)
        if event and event.get("name") == "memory":
            return Memory(int(event["weight_bytes_per_token"]), int(event["bytes_per_s"]))
    return None


def _fastest(run: Callable[[], WidthRun]) -> WidthRun:
    """The fastest of RUNS, or the first that failed."""
    runs = []
    for _ in range(RUNS):
        runs.append(run())
        if runs[-1].error:
            return runs[-1]
    prompt = max(run.prompt_tokens_per_s for run in runs)
    return replace(max(runs, key=lambda run: run.tokens_per_s), prompt_tokens_per_s=prompt)


def width_table(found: Widths) -> str:
    """Tokens per second by width; with the weights' bytes, as a share of what memory delivers."""

    def cells(run: WidthRun) -> list[str]:
        if run.error:
            return [f"  {run.error}"]
        values = [str(run.tokens), f"{run.tokens_per_s:.1f}", f"{run.prompt_tokens_per_s:.1f}"]
        if not found.memory:
            return values
        rate = run.tokens_per_s * found.memory.weight_bytes_per_token
        return [*values, f"{rate / 1e9:.2f}", f"{rate / found.memory.bytes_per_s:.0%}"]

    rows = [(name, cells(run)) for name, run in found.runs.items()]
    columns = ["tokens", "tokens/s", f"prompt of {len(PROMPT_IDS)}", "GB/s", "of memory"]
    table = render("vector", columns, rows, name_width=18, widths=(8, 12, 14, 8, 12))
    if not found.memory:
        return table
    megabytes = found.memory.weight_bytes_per_token / 1e6
    speed = found.memory.bytes_per_s / 1e9
    return f"{table}\n\nweights: {megabytes:.1f} MB a token; memory is read at {speed:.2f} GB/s"


def width_complaints(found: Widths) -> list[str]:
    """What must not be."""
    texts = {run.text for run in found.runs.values() if not run.error}
    if not texts:
        return ["no width could be measured"]
    return ["the widths disagree about the text"] if len(texts) > 1 else []
