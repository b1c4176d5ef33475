"""One boot of a disk that keeps what the guest writes, as measured from outside."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bareflow.bench.guest_session import Session, follow, typing
from bareflow.disk import fat
from bareflow.disk.generations import read_generation
from bareflow.evolve.subject import Subject
from bareflow.kernel.kernel_file import parse_header
from bareflow.qemu.machine import Machine

ROOT = "BAREFLOW.KRN"
"""The kernel that the image was built with; it is of kind "full"."""
_FOLDER = "/boot/snapshots"
CRASHES = 3
"""After so many the loader takes the parent."""


@dataclass(frozen=True)
class Kernel:
    """A kernel on the disk."""

    name: str
    kind: str
    bytes: int


@dataclass(frozen=True)
class Generation:
    """What one boot was, and what it cost. Seconds are of QEMU's processor time."""

    kernel: Kernel
    memory: int
    """Bytes of RAM that were not free at some time before a kernel was written: this kernel and its tables,
    and the heap at its peak."""
    first_output: float
    """Seconds from power-on to the first byte of output."""
    pace: float
    """As its subject gives it: tokens per second from the first byte of text to its end, or seconds."""
    levels: Mapping[str, int]
    """Functions of the application by the level that they have reached, if a compiler was there."""
    compiling: float
    """Seconds that the guest compiled for until then."""
    misses: int
    """Calls of functions that the kernel does not have."""
    results: str
    """A hash of what must be equal in all boots."""
    writing: float = 0.0
    """Seconds that the guest took to write a kernel afterwards, or to fail."""
    written: tuple[Kernel, ...] = ()
    failed: tuple[str, ...] = ()
    """The steps that it could not do: "trim", "export"."""


def kernels(disk: Path) -> dict[str, Kernel]:
    """The kernels on a disk by build id."""
    root = fat.read_file(disk, f"/boot/{ROOT}")
    found = {parse_header(root).build_id.hex(): Kernel(ROOT, "full", len(root))}
    for line in read_generation(disk, f"{_FOLDER}/INDEX.TXT").decode().splitlines():
        if not line.startswith("#"):
            words = dict(word.split("=", 1) for word in line.split())
            found[words["build"]] = Kernel(words["kernel"], words["kind"], int(words["bytes"]))
    return found


def _levels(session: Session) -> dict[str, int]:
    """By the last event "tier" of each function."""
    reached = {str(event["function"]): str(event["level"]) for event in session.events_named("tier")}
    return dict(Counter(reached.values()))


def compiling(session: Session) -> float:
    """Seconds that the guest compiled for: a share of the time from the compiler's start to the last event
    about costs."""
    costs = session.events_named("jit")
    if not costs or not session.llvm or not session.reported:
        return 0.0
    cycles = costs[-1]["compile_cycles"] + costs[-1]["idle_cycles"]
    return float(cycles / costs[-1]["cycles"]) * (session.reported.processor - session.llvm.processor)


def _writing(session: Session) -> float:
    settled, before = session.settled, session.reported
    return settled.processor - before.processor if settled and before else 0.0


def boot(machine: Machine, limit: float, subject: Subject) -> Generation:
    """Boots a machine, whose disk it may write to, for its subject. Raises GuestError if it fails, or if it
    takes longer than `limit` (seconds)."""
    known = kernels(machine.image)
    config = {**subject.config, **machine.config}
    machine = replace(machine, config=config, snapshot=False, crashes=CRASHES)
    session = follow(machine, limit, partial(typing, subject.input))
    starts, ends = session.events_named("boot"), session.events_named("exit")
    start, steps = starts[-1], session.events_named("settle")
    peak = steps[0]["peak_before"] if steps else ends[-1]["heap_peak"]
    return Generation(
        kernel=known[start["build_id"]],
        memory=start["ram_bytes"] - start["heap_bytes"] + peak,
        first_output=session.first_output.processor,
        pace=subject.pace_of(session),
        levels=_levels(session),
        compiling=compiling(session),
        misses=len(session.events_named("trap")),
        results=subject.results(session, machine.image),
        writing=_writing(session),
        failed=tuple(step["step"] for step in steps if step["result"] != "written"),
        written=tuple(kernel for build, kernel in kernels(machine.image).items() if build not in known),
    )
