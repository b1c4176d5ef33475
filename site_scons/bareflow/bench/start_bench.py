"""What `./bareflow bench` does after the guest's own tables: the way from QEMU's start to the first token.

    python -m bareflow.bench.start_bench image=FILE

Seconds are wall clock from the start of the QEMU process to the first byte of the model's text on the
serial line; cycles are the guest's own, read from its events. Each is the least and the median of
REPETITIONS runs. The last line is the least memory, in whole MiB, with which a story is told.
"""

import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bareflow import program
from bareflow.qemu.machine import Machine, QemuError
from bareflow.qemu.serial import Console, Event, ProtocolError, SerialDecoder, Text

REPETITIONS = 9
LIMIT = 20.0
"""Seconds after which a run counts as hung."""
MOST_MEMORY = 64
STORY = {"mode": "generate", "temperature": 0, "steps": 64}


@dataclass(frozen=True)
class Start:
    """One boot: seconds to the first byte of text, and the events up to the end."""

    seconds: float
    events: dict[str, Event]

    def cycles(self, event: str, key: str) -> int:
        return int(str(self.events[event][key]))


def _watch(process: subprocess.Popen[bytes], begun: float) -> Start | None:
    """Follows the guest to its end, or for LIMIT seconds; None if it tells no story."""
    assert process.stdout is not None
    decoder, first_text, events, line = SerialDecoder(), None, {}, b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(begun + LIMIT - time.monotonic()):
            piece = process.stdout.read1(4096)  # type: ignore[attr-defined]
            if not piece:
                break
            for item in decoder.feed(piece):
                if isinstance(item, Text) and first_text is None:
                    first_text = time.monotonic() - begun
                elif isinstance(item, dict):
                    events[item["event"]] = item
                elif isinstance(item, Console):
                    line = (line + item.data).rpartition(b"\n")[2]
                    if line.startswith(b"error: "):  # the loader halts after that
                        return None
    return Start(first_text, events) if first_text is not None and "generate" in events else None


def start(image: Path, memory: int) -> Start | None:
    """Boots the image with so many MiB; None if it tells no story."""
    machine = Machine(image, config=STORY, memory=memory)
    begun = time.monotonic()
    config = machine.config_file()
    with (
        config,
        subprocess.Popen(
            [*machine.arguments(config.fileno()), "-serial", "stdio"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=[config.fileno()],
        ) as process,
    ):
        try:
            result = _watch(process, begun)
        except ProtocolError:
            result = None
        finally:
            process.kill()
    return result


def least_memory(image: Path) -> int | None:
    """The least whole MiB of memory with which the guest tells its story."""
    return next((size for size in range(1, MOST_MEMORY + 1) if start(image, size)), None)


def main(argv: Sequence[str]) -> int:
    """Measures the image named in argv (image=FILE) and prints the table; returns the exit status."""
    image = Path(dict(item.split("=", 1) for item in argv)["image"])
    try:
        runs = [run for run in (start(image, MOST_MEMORY) for _ in range(REPETITIONS)) if run]
        memory = least_memory(image)
    except QemuError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if len(runs) < REPETITIONS or memory is None:
        print(f"bench: only {len(runs)} of {REPETITIONS} boots told a story", file=sys.stderr)
        return 1
    rows = {
        "stage1 to kernel, cycles": [run.cycles("boot", "loader_cycles") for run in runs],
        "kernel to main, cycles": [run.cycles("boot", "kernel_cycles") for run in runs],
        "main to first token, cycles": [run.cycles("generate", "first_token_cycles") for run in runs],
    }
    print(f"{'start':30}{'min':>12}{'median':>12}")
    for name, cycles in rows.items():
        print(f"{name:30}{min(cycles):>12}{median(cycles):>12.0f}")
    seconds = [run.seconds for run in runs]
    print(f"{'QEMU start to first token, s':30}{min(seconds):>12.3f}{median(seconds):>12.3f}")
    print(f"{'least memory, MiB':30}{memory:>12}")
    return 0


if __name__ == "__main__":
    sys.exit(program.call("bench", main, sys.argv[1:]))
