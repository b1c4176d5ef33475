"""One boot of a disk that keeps what the guest writes, as measured from outside."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bareflow.bench.guest_session import Session, follow, stamped
from bareflow.disk import fat
from bareflow.disk.generations import read_generation
from bareflow.kernel.kernel_file import parse_header
from bareflow.qemu.machine import Machine

ROOT = "BAREFLOW.KRN"
"""The kernel that the image was built with; it is of kind "full"."""
_FOLDER = "/boot/snapshots"
_IDS, _LOGITS = "/profile/EVOLVE.IDS", "/profile/EVOLVE.LGT"
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
    first_token: float
    """Seconds from power-on to the first byte of text."""
    tokens_per_s: float
    """From the first byte of text to its end."""
    levels: Mapping[str, int]
    """Functions of the application by the level that they have reached, if a compiler was there."""
    compiling: float
    """Seconds that the guest compiled for until then."""
    misses: int
    """Calls of functions that the kernel does not have."""
    results: str
    """A hash of the tokens and all their logits."""
    writing: float = 0.0
    """Seconds that the guest took to write a kernel after the text, or to fail."""
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


def _compiling(session: Session) -> float:
    """The share of the running time, from the compiler's start to the text's end."""
    costs, ended = session.generations[-1].costs, session.generations[-1].ended
    if not costs or not session.llvm or not ended:
        return 0.0
    cycles = costs["compile_cycles"] + costs["idle_cycles"]
    return float(cycles / costs["cycles"]) * (ended.processor - session.llvm.processor)


def _writing(session: Session) -> float:
    ended = session.generations[-1].ended
    return session.settled.processor - ended.processor if session.settled and ended else 0.0


def boot(machine: Machine, limit: float) -> Generation:
    """Boots a machine, whose disk it may write to, for one text. Raises GuestError if it generates none, or
    if it takes longer than `limit` (seconds)."""
    known = kernels(machine.image)
    config = {**machine.config, "ids": _IDS, "logits": _LOGITS}
    session = follow(replace(machine, config=config, snapshot=False, crashes=CRASHES), limit, stamped)
    starts, ends = session.events_named("boot"), session.events_named("exit")
    text = session.generations[-1]
    results = b"".join(fat.read_file(machine.image, path) for path in (_IDS, _LOGITS))
    start, steps = starts[-1], session.events_named("settle")
    peak = steps[0]["peak_before"] if steps else ends[-1]["heap_peak"]
    return Generation(
        kernel=known[start["build_id"]],
        memory=start["ram_bytes"] - start["heap_bytes"] + peak,
        first_token=session.first_token.processor,
        tokens_per_s=text.processor_rate,
        levels=_levels(session),
        compiling=_compiling(session),
        misses=len(session.events_named("trap")),
        results=hashlib.sha256(results).hexdigest(),
        writing=_writing(session),
        failed=tuple(step["step"] for step in steps if step["result"] != "written"),
        written=tuple(kernel for build, kernel in kernels(machine.image).items() if build not in known),
    )
