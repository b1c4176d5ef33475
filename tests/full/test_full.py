"""The full image: LLVM starts, the application goes from the interpreter through the tiers, and the numbers
are those of the reference on each of them."""

from __future__ import annotations

import array
import json
import re
import sys
from pathlib import Path

import pytest
from bareflow.disk.fat import read_file
from bareflow.llvm import VERSION
from fixture_types import Boot, ModelImage, Record, Reference

STEPS = 64
# Calls decide, not the time that a busy machine gives the guest.
BY_CALLS = {"jit.budget": 100, "jit.thresholds": "10,1000,1000000,1000000"}
# Between float32 with our order of summation and the float64 reference.
LOGIT_TOLERANCE = 1e-4
MEBIBYTE = 1 << 20


def floats(data: bytes) -> array.array[float]:
    """Little-endian float32 values."""
    values = array.array("f", data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def test_story_and_tiers(record: Record, model_image: ModelImage, models: Path, reference: Reference) -> None:
    guest, ids, logits = record(model_image("v0"), {"steps": STEPS, **BY_CALLS})
    assert guest.text == reference(f"greedy_n{STEPS}")
    assert ids.split() == (models / "ref64.ids.txt").read_bytes().split()
    expected, found = floats((models / "ref64.logits.f32").read_bytes()), floats(logits)
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) < LOGIT_TOLERANCE
    llvm = guest.event("llvm")
    assert llvm["version"].startswith(f"{VERSION}.")
    assert llvm["functions"] > 100
    tiers = [event for event in guest.events if event["event"] == "tier"]
    levels = {event["level"] for event in tiers}
    assert levels == {"O0", "O1"}
    assert all(event["reason"] and event["cycles"] > 0 for event in tiers)


@pytest.mark.parametrize(
    ("config", "warning", "error"),
    [
        ({"jit.budget": 101}, None, "jit.budget = 101: not a whole number from 0 to 100"),
        (
            {"jit.budgte": 5, "stpes": 3},
            'unknown setting "jit.budgte"; there are jit.budget ',
            "a setting of the JIT is unknown",
        ),
    ],
)
def test_wrong_settings_of_the_jit(
    boot: Boot, image: Path, config: dict[str, object], warning: str | None, error: str
) -> None:
    guest = boot(image, config=config, memory=256)
    assert guest.wait_exit() == 1
    found = re.findall("^warning: (.*)$", guest.console, re.M)
    assert len(found) == (warning is not None) and all(line.startswith(warning) for line in found)
    assert f"error: {error}\n" in guest.console
    assert not any(event["event"] == "llvm" for event in guest.events)


def test_too_little_memory(boot: Boot, build_dir: Path, model_image: ModelImage) -> None:
    """Less than the kernel needs, the loader refuses; less than the compiler needs, the kernel."""
    sizes = json.loads((build_dir / "size.json").read_text())
    memory = sizes["resident_bytes"] // MEBIBYTE + 23
    guest = boot(model_image("v0"), config={"mode": "generate"}, memory=memory)
    assert guest.wait_exit() == 1
    assert "too little memory: the compiler needs" in guest.serial


def test_unknown_setting(boot: Boot, model_image: ModelImage) -> None:
    guest = boot(model_image("v0"), config={"mode": "generate", "jit.tier": "O0"}, memory=256)
    assert guest.wait_exit() == 1
    assert "jit.tier" in guest.serial


def test_sizes(build_dir: Path, image: Path) -> None:
    sizes = json.loads((build_dir / "size.json").read_text())
    assert sizes["kernel_file_bytes"] == len(read_file(image, "/boot/BAREFLOW.KRN"))
    assert image.stat().st_size <= 60 * MEBIBYTE
    parts = {name: sum(sections.values()) for name, sections in sizes["parts"].items()}
    assert parts["libLLVMX86CodeGen.a"] > MEBIBYTE
    assert parts["bitcode"] > 100_000
    assert parts["other"] < sum(parts.values()) // 20


def test_every_input_of_the_link_is_listed(build_dir: Path) -> None:
    inputs = (build_dir / "bareflow.inputs").read_text().splitlines()
    names = {Path(name).name for name in inputs}
    assert {"bareflow.native.o", "bareflow.traps.o", "start.o", "libLLVMCore.a", "libstdc++.a"} <= names
