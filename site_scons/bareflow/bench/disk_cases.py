"""Every way to the disk: how fast files are read, and what loading a kernel and a boot take.

Reading is done by tests/boot/guests/disk_speed.c. The host has the file in memory. The first of the guest's
passes does not count: in it QEMU gets the guest's memory from the host.
"""

import random
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from bareflow.bench.case import Case, progress, take_turns
from bareflow.bench.guest_session import Boot, processor_seconds, time_boot
from bareflow.bench.tables import render
from bareflow.disk.fat_image import build_image
from bareflow.errors import BareFlowError
from bareflow.kernel.kernel_file import kernel_from_elf, lengthened
from bareflow.model_program import MODEL_PROGRAM
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine

MEBIBYTE = 1 << 20
SIZES = (17, 61, 438)
"""MiB of the file: as large as models are."""
PASSES = 20
"""Of disk_speed.c."""
PATIENCE = 20.0
"""Seconds after which no further pass is waited for."""
BOOTS = 3
KERNEL_BYTES = 10_000_000
"""Of the file with which the loader is measured."""
MEMORY = 64
WAYS = {
    "ide": {},
    "ahci": {"machine": "q35", "drive": "ahci"},
    "virtio-blk": {"drive": "virtio-blk"},
    "nvme": {"drive": "nvme"},
    "nvme-4096": {"drive": "nvme-4096"},
    "usb": {"drive": "usb-storage"},
}
"""Options of the machine."""


class Read(NamedTuple):
    """Seconds in which a file was read: of QEMU's processor time in the mean, on the wall at best."""

    processor: float
    wall: float


def _read(image: Path, size: int, options: Mapping[str, Any]) -> Read:
    """A guest's passes over the file of so many MiB."""
    walls = []
    with Guest(Machine(image, memory=size + MEMORY, **options), timeout=300) as guest:
        guest.expect("^begin 1\n")
        before = processor_seconds(guest.pid)
        for number in range(1, PASSES):
            walls.append(int(guest.expect(rf"^end {number}: (\d+) us\n")[1]) / 1e6)
            if sum(walls) > PATIENCE:
                break
        used = processor_seconds(guest.pid) - before
    return Read(used / len(walls), min(walls))


def _ways(arguments: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """WAYS, with the setting `disk` if that is given."""
    settings = {"config": {"disk": arguments["disk"]}} if "disk" in arguments else {}
    return {name: options | settings for name, options in WAYS.items()}


def _reads(arguments: Mapping[str, str]) -> dict[int, dict[str, list[Read]]]:
    """By size and way. Through the BIOS the largest file takes minutes, and is as fast as others."""
    stage1, stage2, kernel = (Path(arguments[name]).read_bytes() for name in ("stage1", "stage2", "kernel"))
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "disk.img"
        for size in SIZES[:-1] if "disk" in arguments else SIZES:
            content = random.Random(size).randbytes(MEBIBYTE) * size
            build_image(
                image, stage1, stage2, {"/boot/BAREFLOW.KRN": kernel, MODEL_PROGRAM.disk["model"]: content}
            )
            ways = _ways(arguments)
            columns = {name: partial(_read, image, size, options) for name, options in ways.items()}
            found[size] = take_turns(columns, 2, f"{size} MiB, turn {{turn}} of {{turns}}: {{name}}")
    return found


def speed_tables(found: Mapping[int, Mapping[str, list[Read]]]) -> list[str]:
    """MB a second of processor time and of time on the wall."""

    def speeds(reads: list[Read], size: int, clock: str) -> str:
        seconds = min(getattr(read, clock) for read in reads)
        return f"{size * MEBIBYTE / 1e6 / seconds:.0f}"

    def table(title: str, clock: str) -> str:
        rows = [
            (f"{size} MiB", [speeds(ways[name], size, clock) for name in WAYS])
            for size, ways in found.items()
        ]
        return render(title, list(WAYS), rows, name_width=30, widths=[12] * len(WAYS))

    return [
        table("MB/s of QEMU's processor time", "processor"),
        table("MB/s on the wall", "wall"),
    ]


def _load(image: Path, options: Mapping[str, Any]) -> tuple[float, float]:
    """Cycles, and seconds of QEMU's processor time, until the kernel says that it has come up."""
    with Guest(Machine(image, memory=MEMORY, **options)) as guest:
        cycles = guest.expect_event("boot")["loader_cycles"]
        return float(cycles), processor_seconds(guest.pid)


def _loads(arguments: Mapping[str, str]) -> dict[str, list[tuple[float, float]]]:
    stage1, stage2 = (Path(arguments[name]).read_bytes() for name in ("stage1", "stage2"))
    kernel = lengthened(kernel_from_elf(Path(arguments["elf"]).read_bytes()), KERNEL_BYTES)
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "disk.img"
        build_image(image, stage1, stage2, {"/boot/BAREFLOW.KRN": kernel, MODEL_PROGRAM.disk["model"]: b"x"})
        progress("the loader")
        ways = _ways(arguments)
        return take_turns({name: partial(_load, image, options) for name, options in ways.items()}, BOOTS)


def load_table(found: Mapping[str, list[tuple[float, float]]]) -> str:
    """The least of the boots by each way."""
    rows = [
        ("stage1 to kernel, 10^6 cycles", [f"{min(found[name])[0] / 1e6:.0f}" for name in found]),
        (
            "QEMU start to kernel, s of processor",
            [f"{min(seconds for _, seconds in loads):.2f}" for loads in found.values()],
        ),
    ]
    title = f"a kernel file of {KERNEL_BYTES // 1_000_000} MB"
    return render(title, list(found), rows, name_width=38, widths=[12] * len(found))


def _boots(arguments: Mapping[str, str]) -> dict[str, list[Boot]]:
    image = Path(arguments["image"])

    def boot(options: Mapping[str, Any]) -> Boot:
        if found := time_boot(image, MEMORY, **options):
            return found
        raise BareFlowError("a boot generated no text")

    columns = {name: partial(boot, options) for name, options in _ways(arguments).items()}
    progress("boots")
    return take_turns(columns, BOOTS)


def boot_table(found: Mapping[str, list[Boot]]) -> str:
    """The least of the boots by each way."""

    def million(event: str, key: str) -> list[str]:
        return [f"{min(boot.cycles(event, key) for boot in boots) / 1e6:.0f}" for boots in found.values()]

    rows = [
        ("stage1 to kernel, 10^6 cycles", million("boot", "loader_cycles")),
        ("kernel to main, 10^6 cycles", million("boot", "kernel_cycles")),
        ("main to first token, 10^6 cycles", million("generate", "first_token_cycles")),
        (
            "QEMU start to first token, s",
            [f"{min(boot.seconds for boot in boots):.2f}" for boots in found.values()],
        ),
    ]
    return render("boot of native", list(found), rows, name_width=34, widths=[12] * len(found))


def disk_bench(arguments: Mapping[str, str]) -> list[Case[Any]]:
    """stage1=, stage2= and kernel= (disk_speed's) are for reading, elf= (the same) is loaded; image= is
    booted. disk= is the setting of the guest."""
    return [
        Case(partial(_reads, arguments), speed_tables),
        Case(partial(_loads, arguments), lambda found: [load_table(found)]),
        Case(partial(_boots, arguments), lambda found: [boot_table(found)]),
    ]
