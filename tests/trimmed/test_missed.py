"""A function of LLVM is missing that is needed after all: what it was needed for is given up, or the full
kernel takes over; the text is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.trim.misses import missed_functions
from fixture_types import Boot, Disk
from held_out import HeldOut, Run
from struck import strike

LIMIT = 300.0
STORY: dict[str, object] = {"mode": "generate", "prompt": "Once upon a time", "temperature": 0, "steps": 24}
EAGER: dict[str, object] = {**STORY, "jit.thresholds": "5,20,100,400", "jit.budget": 100}
# MiB. Of this a quarter may be lost when compilations are given up: each loses two or three.
ENOUGH_MEMORY = 2048

# Passes of optimisation, an analysis of code generation: both of the levels above O0. There are several,
# because where a function lies decides whether it can become a stub.
PASSES = [
    f"{name}Pass3runE"
    for name in (
        "SROA",
        "EarlyCSE",
        "SimplifyCFG",
        "LICM",
        "LoopRotate",
        "InstCombine",
        "VectorCombine",
        "GVN",
    )
]
LIVE_INTERVALS = [
    *(f"13LiveIntervals{name}" for name in ("7analyzeE", "15computeVirtRegsE", "15computeRegMasksE")),
    *(f"13LiveIntervals{name}" for name in ("21computeLiveInRegUnitsE", "22computeVirtRegIntervalE")),
    "24LiveIntervalsWrapperPass20runOnMachineFunctionE",
]
LINKER = [
    "25createLinkGraphFromObject",
    "28createLinkGraphFromELFObject",
    "32createLinkGraphFromELFObject_x86_64",
]


@pytest.fixture
def text(boot: Boot, disk: Disk, build_dir: Path, tmp_path: Path) -> str:
    """What full generates, as a Linux program."""
    made = HeldOut(boot, disk, lambda: pytest.fail("this model is the image's"), build_dir)
    (found,) = made.on_linux(Run("a story", STORY), tmp_path / "linux").texts
    return found.decode()


@pytest.mark.parametrize(
    "needed",
    [pytest.param(PASSES, id="pass"), pytest.param(LIVE_INTERVALS, id="analysis", marks=pytest.mark.soak)],
)
def test_compilation_is_given_up(
    boot: Boot, disk: Disk, image: Path, build_dir: Path, text: str, needed: list[str]
) -> None:
    copy = disk(image)
    struck, name = strike(build_dir, copy, needed)
    guest = boot(copy, config=EAGER, snapshot=False, memory=ENOUGH_MEMORY, timeout=LIMIT)
    assert guest.wait_exit() == 0, f"without {struck}: {guest.serial}"
    assert guest.text == text
    assert missed_functions([copy.path]) == [name]
    traps = [event for event in guest.events if event["event"] == "trap"]
    assert traps and all(event["removed"] and event["recovered"] for event in traps)
    failed = [event for event in guest.events if event["event"] == "tier_failed"]
    assert len(failed) == len(traps)
    guest.expect(rf"^JIT: \w+ cannot be compiled at O\d: it takes {name[:100]}.* which was removed")


def test_full_takes_over(boot: Boot, disk: Disk, build_dir: Path, text: str) -> None:
    """Without the linker nothing can be compiled, and some functions cannot be interpreted."""
    copy = disk(build_dir / "with_full.img")
    _, name = strike(build_dir, copy, LINKER)
    first = boot(copy, config=STORY, snapshot=False, memory=256, timeout=LIMIT)
    assert first.wait_end().how == "reset"
    first.expect("^The full image takes over.$")
    assert missed_functions([copy.path]) == [name]
    second = boot(copy, config=STORY, snapshot=False, memory=256, timeout=LIMIT)
    assert second.wait_exit() == 0
    assert second.text == text
