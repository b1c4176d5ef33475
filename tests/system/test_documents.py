"""What the documents show of the default model is what it does. They change with its weights:
tinyllama/training/README.md says how they are made again."""

from __future__ import annotations

import hashlib
import re
import shlex
from pathlib import Path

import pytest
from fixture_types import Boot, ModelImage
from project_files import DEFAULT_MODEL, DEFAULT_TOKENIZER, ROOT

CARD = DEFAULT_MODEL.with_name("MODEL_CARD.md")


def text_of(boot: Boot, image: Path, options: dict[str, str]) -> str:
    guest = boot(image, config={"mode": "generate", **options})
    assert guest.wait_exit() == 0, guest.serial
    return guest.text


@pytest.mark.parametrize("file", [DEFAULT_MODEL, DEFAULT_TOKENIZER])
def test_card_names_the_files(file: Path) -> None:
    card, content = CARD.read_text(), file.read_bytes()
    assert f"`{file.name}` ({len(content):,} bytes" in card
    assert f"`{file.name}` {hashlib.sha256(content).hexdigest()}" in card


@pytest.mark.parametrize("seed", [1, 10])
def test_sample_in_the_card(boot: Boot, model_image: ModelImage, seed: int) -> None:
    card = CARD.read_text()
    options = dict(re.findall(r"`(temperature|top_p|steps)=([0-9.]+)`", card))
    assert len(options) == 3
    section = card.split(f"### Seed {seed}\n")[1].split("###")[0]
    sample = [line.removeprefix(">").strip() for line in section.splitlines()]
    text = text_of(boot, model_image("default"), {**options, "seed": str(seed)})
    assert [line.strip() for line in text.splitlines() if line.strip()] == [line for line in sample if line]


def test_transcript_in_the_readme(boot: Boot, model_image: ModelImage) -> None:
    found = re.search(
        r"^\$ \./bareflow run (.*)\n((?:.*\n)+?)\d+ tokens, ", (ROOT / "README.md").read_text(), re.M
    )
    assert found is not None
    options = dict(argument.split("=", 1) for argument in shlex.split(found[1]))
    assert text_of(boot, model_image("default"), options) + "\n" == found[2]
