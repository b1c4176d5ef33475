"""What `./bareflow platform=linux bench` does: tokens per second on this processor, by vector width.

    python -m bareflow.bench.vector_widths program=FILE host=FILE model=FILE tokenizer=FILE [key=value ...]

host is the same program compiled with -O3 -march=native, for comparison.

Each width generates the same story several times in a process of its own, on one thread; the fastest time
counts, because everything else on the machine only ever slows a run down. Other keys go to the program. The
table goes to standard output. The status is 1 when widths disagree about the text.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bareflow import program
from bareflow.events import parse_event

WIDTHS = ("sse2", "avx2", "avx512")
HOST, WIDTH = "-O3 -march=native", 18
REPETITIONS = 10
LIMIT = 600.0
"""Seconds after which a run counts as hung."""


class BenchError(Exception):
    """The program cannot be measured at this width; the message is its own."""


@dataclass(frozen=True)
class Run:
    """What one run of the program reported."""

    tokens_per_s: float
    tokens: int
    text: bytes


def parse_output(text: bytes, events: bytes) -> Run:
    """The numbers in the program's events (standard error); raises BenchError when there are none."""
    lines = events.decode(errors="replace").splitlines()
    for line in lines:
        event = parse_event(line)
        if event and event["event"] == "generate":
            return Run(float(event["tokens_per_s"]), int(event["tokens"]), text)
    spoken = [
        line for line in lines + text.decode(errors="replace").splitlines() if line.startswith("error:")
    ]
    raise BenchError(spoken[-1] if spoken else "the program reported no speed")


def _run_once(program: str, options: Mapping[str, str]) -> Run:
    command = [program, *(f"{key}={value}" for key, value in options.items())]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT)
    return parse_output(result.stdout, result.stderr)


def measure(program: str, options: Mapping[str, str]) -> Run:
    """The fastest of REPETITIONS runs."""
    runs = [_run_once(program, options) for _ in range(REPETITIONS)]
    return max(runs, key=lambda run: run.tokens_per_s)


def main(argv: Sequence[str]) -> int:
    """Measures as argv (key=value strings) says and prints the table; returns the exit status."""
    options = {"mode": "generate", "temperature": "0"} | dict(item.split("=", 1) for item in argv)
    program, host = options.pop("program"), options.pop("host")
    widths = [options.pop("vector")] if "vector" in options else WIDTHS
    runs = {width: (program, {"vector": width}) for width in widths} | {HOST: (host, {})}
    texts = set()
    print(f"{'vector':{WIDTH}}{'tokens':>8}{'tokens/s':>12}")
    for name, (file, chosen) in runs.items():
        try:
            run = measure(file, options | chosen)
        except (BenchError, OSError, subprocess.TimeoutExpired) as error:
            print(f"{name:{WIDTH}}  {error}")
            continue
        texts.add(run.text)
        print(f"{name:{WIDTH}}{run.tokens:>8}{run.tokens_per_s:>12.1f}")
    if len(texts) > 1:
        print("bench: the widths disagree about the text", file=sys.stderr)
    return 0 if len(texts) == 1 else 1


if __name__ == "__main__":
    sys.exit(program.call("bench", main, sys.argv[1:]))
