"""A bench's tables as a page of docs/measurements, with the date, the processor and the command."""

import os
import shlex
from collections.abc import Sequence
from datetime import date
from pathlib import Path

TITLES = {
    "boot": "native: boot and first token",
    "disks": "Every way to the disk",
    "evolve": "The life of an image",
    "gguf_errors": "GGUF: how far logits are from exact ones",
    "gguf_speed": "GGUF: tokens/s next to llama.cpp",
    "jit": "full next to native, in QEMU",
    "linux": "native on a processor: vector widths",
    "linux_jit": "full next to native, on a processor",
    "linux_successor": "native successors on a processor",
    "program": "A program, native and while full learns",
    "successor": "native successors in QEMU",
}
"""By bench."""


def _shown(value: str, checkout: Path) -> str:
    path = Path(value)
    if not (path.is_absolute() and path.exists()):
        return value
    return str(path.relative_to(checkout)) if path.is_relative_to(checkout) else path.name


def command_line(arguments: Sequence[str], checkout: Path) -> str:
    """The command with which a person repeats a bench. Absolute paths are those of this machine: in the
    checkout they are relative to it, of others the names stay. A path that does not exist is the guest's."""
    shown = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not argument.startswith("-") and key != "save":
            shown.append(f"{key}{equals}{_shown(value, checkout)}")
    return shlex.join(["./bareflow", *shown])


def processor(cpuinfo: str) -> str:
    """The processor's name and the number of its threads, from the text of /proc/cpuinfo."""
    names = [line.partition(":")[2].strip() for line in cpuinfo.splitlines() if line.startswith("model name")]
    return f"{names[0]}, {len(names)} threads" if names else "unknown"


def page(bench: str, tables: Sequence[str], command: str, day: date, cpu: str, load: float) -> str:
    """The page. `load`: the machine's load (runnable processes) before the bench."""
    return "\n".join(
        [
            f"# {TITLES[bench]}",
            "",
            f"- Date: {day.isoformat()}",
            f"- Processor: {cpu}; load before: {load:.1f}",
            f"- Command: `{command}`",
            "",
            "```",
            "\n\n".join(table.rstrip("\n") for table in tables),
            "```",
            "",
        ]
    )


def write_page(path: str, bench: str, tables: Sequence[str], command: str, load: float) -> None:
    """Writes the page of a bench that has just ended on this machine."""
    cpu = processor(Path("/proc/cpuinfo").read_text())
    Path(path).write_text(page(bench, tables, command, date.today(), cpu, load))


def load() -> float:
    """Of the last minute."""
    return os.getloadavg()[0]
