"""The numbers: text, token ids and logits against the references, and the same bits everywhere.

The default model is compared with tests/reference_model.py by the fixture `story`; here are the texts and
logits that other programs made of stories260K.
"""

from __future__ import annotations

import array
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fixture_types import Boot, Disk, ModelImage, Reference, Tell

# Text, token ids' file and logits' file of a story.
Record = Callable[..., tuple[str, bytes, bytes]]
STEPS = 64
VOCABULARY = 512
# Between float32 with our order of summation and the float64 reference.
LOGIT_TOLERANCE = 1e-4


def floats(data: bytes) -> array.array[float]:
    """Little-endian float32 values."""
    values = array.array("f", data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


@pytest.fixture
def tell_and_record(tell: Tell, disk: Disk) -> Record:
    """Tells a story; returns its text, the token ids' file and the logits' file from the disk."""

    def run(image: Path, config: dict[str, object], **machine: Any) -> tuple[str, bytes, bytes]:
        copy = disk(image)
        files = {"ids": "/profile/IDS.TXT", "logits": "/profile/LOGITS.F32"}
        guest = tell(copy, {"steps": STEPS, **files, **config}, snapshot=False, **machine)
        return guest.text, copy.read(files["ids"]), copy.read(files["logits"])

    return run


@pytest.mark.parametrize("kind", ["v0", "v1"])
@pytest.mark.parametrize("steps", [64, 256])
def test_golden_text(
    tell: Tell, model_image: ModelImage, reference: Reference, kind: str, steps: int
) -> None:
    guest = tell(model_image(kind), {"steps": steps})
    assert guest.text == reference(f"greedy_n{steps}")
    assert guest.event("generate")["tokens"] == steps


def test_int8_text(tell: Tell, model_image: ModelImage, reference: Reference) -> None:
    guest = tell(model_image("q80"), {"steps": 64})
    assert guest.text == reference("q80_gs4_runq_greedy_n64")


@pytest.mark.parametrize("prompt", ["Once upon a time", "Tom and Lily went to the"])
def test_prompts(tell: Tell, model_image: ModelImage, reference: Reference, prompt: str) -> None:
    guest = tell(model_image("v0"), {"steps": 128, "prompt": prompt})
    assert guest.text == reference("prompt_" + prompt.replace(" ", "_"))


def test_long_prompt(tell: Tell, model_image: ModelImage, reference: Reference) -> None:
    """A prompt of several batches: the beginning of a story at temperature 0 continues as that story."""
    story = reference("greedy_n256")
    end = story.index(" ", 150)
    guest = tell(model_image("v0"), {"steps": 256, "prompt": story[:end]})
    assert guest.text == story
    event = guest.event("generate")
    assert 32 < event["prompt_tokens"] < 150
    assert event["prompt_tokens_per_s"] > 0
    assert event["tokens"] == 256


def test_token_ids_and_logits(tell_and_record: Record, model_image: ModelImage, models: Path) -> None:
    _, ids, logits = tell_and_record(model_image("v0"), {})
    assert ids.split() == (models / "ref64.ids.txt").read_bytes().split()
    expected = floats((models / "ref64.logits.f32").read_bytes())
    found = floats(logits)
    assert len(found) == len(expected) == STEPS * VOCABULARY
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) < LOGIT_TOLERANCE


@pytest.mark.parametrize("kind", ["default", "v0"])
def test_same_bits_on_every_cpu(
    tell_and_record: Record, model_image: ModelImage, architecture: str, kind: str
) -> None:
    cases = [("qemu64", "auto"), ("Haswell", "auto"), ("max", "auto"), ("max", "sse2")]
    if architecture == "x86_64":
        cases.append(("Haswell", "avx2"))
    runs = {
        (cpu, vector): tell_and_record(model_image(kind), {"vector": vector}, cpu=cpu)
        for cpu, vector in cases
    }
    first = runs["qemu64", "auto"]
    assert len(first[2]) >= STEPS * VOCABULARY * 4
    assert [run for run, result in runs.items() if result != first] == []


def test_only_linked_widths_can_be_chosen(boot: Boot, image: Path, architecture: str) -> None:
    """Processors of 32 bits have SSE2 (docs/i386.md)."""
    if architecture == "x86_64":
        pytest.skip("all widths are linked")
    guest = boot(image, config={"mode": "generate", "vector": "avx2"}, cpu="max")
    assert guest.wait_exit() == 1
    assert re.search("^error: vector = avx2: there are auto and sse2", guest.console, re.M)


@pytest.mark.parametrize("kind", ["default", "v0"])
def test_logits_with_a_prompt(tell_and_record: Record, model_image: ModelImage, kind: str) -> None:
    """Every position's logits are there, and they are the bits of the same tokens without a prompt."""
    text, ids, logits = tell_and_record(model_image(kind), {})
    begin = text[: text.index(" ", 60)]
    assert tell_and_record(model_image(kind), {"prompt": begin}) == (text, ids, logits)


def test_seed_decides_the_story(tell: Tell, model_image: ModelImage) -> None:
    def story(seed: int) -> str:
        return tell(model_image("default"), {"steps": 64, "temperature": 1.0, "seed": seed}).text

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_ends_at_the_end_of_the_context(tell: Tell, model_image: ModelImage) -> None:
    """The model's context is 512 tokens; 5000 are asked for."""
    guest = tell(model_image("default"), {"steps": 5000})
    assert 0 < guest.event("generate")["tokens"] <= 512
