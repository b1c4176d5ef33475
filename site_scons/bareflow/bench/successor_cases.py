"""The native successor that a guest has made of its profile, next to what the build makes of the same one,
and to native without one; on Linux, also to -O3 -march=native.

In QEMU instructions are counted, and of the times the least counts. On the processor programs take turns, and
the ratios of each turn count, because everything else on the machine changes with time.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bareflow.bench.case import Case, progress, take_turns
from bareflow.bench.guest_cases import COUNTING, LIMIT, PROMPT
from bareflow.bench.guest_session import Session, follow, stamped
from bareflow.bench.linux_session import generate_texts, make_root, processor_rate, record
from bareflow.bench.tables import render
from bareflow.disk import fat
from bareflow.disk.image_copy import copy_image
from bareflow.errors import BareFlowError
from bareflow.evolve.generation import kernels
from bareflow.qemu.machine import Machine
from bareflow.run.run import default_memory

LENGTHS = (64, 256)
"""Tokens of a text."""
BOOTS = 5
TURNS = 9
SECONDS = 1.0
"""Of a program's turn."""
KERNEL = "/boot/BAREFLOW.KRN"
FIRST_TOKEN = "first token, s"
NATIVE, GUEST, GRAPH, HOST = "native", "guest", "graph", "-O3 -march=native"


# ---- In QEMU ----


def successor_bench(arguments: Mapping[str, str]) -> list[Case[Any]]:
    """Kernels on the same disk: native='s, that which the guest of disk= has made of its profile, and the one
    that the build has made of that, image='s."""
    native, graph, disk = (Path(arguments[name]) for name in ("native", "image", "disk"))
    return [Case(partial(_measure, native, graph, disk), lambda found: [kernel_table(found)])]


def guest_made(disk: Path) -> bytes:
    """The newest native kernel that a guest has written to its disk."""
    made = [kernel for kernel in kernels(disk).values() if kernel.kind == "native"]
    if not made:
        raise BareFlowError(f"{disk}: its guest has written no native kernel (/export)")
    name = max(kernel.name for kernel in made)
    return fat.read_file(disk, f"/boot/snapshots/{name}")


def _boot(image: Path, steps: int, extra: Sequence[str] = ()) -> Session:
    config = {"mode": "generate", "temperature": 0, "steps": steps, "prompt": PROMPT}
    machine = Machine(image, config=config, memory=default_memory(image), extra=extra)
    return follow(machine, LIMIT, stamped)


def _measure(native: Path, graph: Path, disk: Path) -> dict[str, dict[str, float]]:
    """By kernel, the columns of the table."""
    with tempfile.TemporaryDirectory() as folder:
        guest = copy_image(native, Path(folder) / "guest.img")
        fat.write_file(guest, KERNEL, guest_made(disk))
        images = {NATIVE: native, GUEST: guest, GRAPH: graph}
        found: dict[str, dict[str, float]] = {}
        for name, image in images.items():
            progress(f"instructions of {name}")
            found[name] = {"kernel file": len(fat.read_file(image, KERNEL))}
            for steps in LENGTHS:
                rate = _boot(image, steps, COUNTING).generations[-1].rate
                found[name][f"{steps} tokens"] = 1e9 / rate
        columns = {name: partial(_boot, image, LENGTHS[0]) for name, image in images.items()}
        for name, boots in take_turns(columns, BOOTS, "boots, turn {turn} of {turns}").items():
            found[name][FIRST_TOKEN] = min(boot.first_token.processor for boot in boots)
        return found


def kernel_table(found: Mapping[str, Mapping[str, float]]) -> str:
    """The columns of each kernel."""
    columns = list(found[NATIVE])
    forms = {name: "{:.3f}" if name == FIRST_TOKEN else "{:.0f}" for name in columns}
    rows = [
        (name, [forms[column].format(value) for column, value in values.items()])
        for name, values in found.items()
    ]
    return render("instructions a token", columns, rows, name_width=24, widths=(14, 14, 14, 18))


# ---- On the processor ----


def linux_successor_bench(arguments: Mapping[str, str]) -> list[Case[Any]]:
    """Linux programs of the same sources: native=, guest= with the code that a guest makes of its profile,
    program=, which the build has made of that, and host=. model= and tokenizer= are given to all of them."""
    keys = {NATIVE: "native", GUEST: "guest", GRAPH: "program", HOST: "host"}
    programs = {name: Path(arguments[key]) for name, key in keys.items()}
    model, tokenizer = Path(arguments["model"]), arguments.get("tokenizer")
    measure = partial(_rates, programs, model, Path(tokenizer) if tokenizer else None)
    return [Case(measure, lambda found: [rate_table(found[0])], lambda found: found[1])]


def take_a_core() -> None:
    """For this process and those that it starts, a core on which nothing else runs meanwhile, if it may."""
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def _rates(
    programs: Mapping[str, Path], model: Path, tokenizer: Path | None
) -> tuple[dict[str, list[float]], list[str]]:
    """Tokens per second of processor time in each turn; and what must not be."""
    take_a_core()
    steps = LENGTHS[-1]
    config = {"steps": steps}
    with tempfile.TemporaryDirectory() as folder:
        root = make_root(Path(folder), model, tokenizer)
        bits = {name: record(program, root, {"steps": LENGTHS[0]}) for name, program in programs.items()}
        rate = generate_texts(programs[NATIVE], root, config, PROMPT, 2).rates[-1]
        texts = max(1, round(SECONDS * rate / steps))
        columns: dict[str, Callable[[], float]] = {
            name: partial(processor_rate, program, root, config, PROMPT, 1, 1 + texts)
            for name, program in programs.items()
        }
        rates = take_turns(columns, TURNS, "turn {turn} of {turns}")
    wrong = [f"{name} gives other bits than {NATIVE}" for name in bits if bits[name] != bits[NATIVE]]
    return rates, wrong


def rate_table(rates: Mapping[str, Sequence[float]]) -> str:
    """The medians, and those of the ratios to native in each turn, with the least and the most."""
    rows = []
    for name, values in rates.items():
        ratios = [value / base for value, base in zip(values, rates[NATIVE], strict=True)]
        cells = [f"{median(values):.1f}", *(f"{of(ratios):.3f}" for of in (median, min, max))]
        rows.append((name, cells))
    title = f"tokens/s of processor time, {TURNS} turns"
    return render(title, ["median", "of native", "least", "most"], rows)
