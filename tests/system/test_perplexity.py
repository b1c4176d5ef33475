"""Perplexity against one from a forward pass in 64-bit floats, on Linux and in the machine; and what is said
to a text that has none."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bareflow.bench.linux_session import LinuxRunError, make_root, run
from bareflow.events import Event
from disk_tools import DiskImage
from gguf_model import Reference, make_model
from project_files import ROOT

BOS, SPACE, FIRST_BYTE = 1, 259, 3
# None of its characters is a piece of the models' tokenizer: each byte is a token, after the space in front.
TEXT = "xyzé→ wvu\n" * 12
WINDOWS = {"llama": 16, "qwen3": 21, "gemma3": 64}
"""By model. gemma3's local layers then have more positions than they keep."""


def tokens_of(text: str) -> list[int]:
    pieces = [[SPACE] if c == " " else [FIRST_BYTE + byte for byte in c.encode()] for c in " " + text]
    return [BOS, *(token for piece in pieces for token in piece)]


def expected(name: str, window: int) -> tuple[float, float, float, int]:
    """Perplexity, its standard error, bits per character, and the number of tokens that count."""
    tokens, losses, characters = tokens_of(TEXT), [], 0
    for begin in range(0, len(tokens) - window + 1, window):
        reference = Reference(make_model(name))
        inputs = [BOS, *tokens[begin + 1 : begin + window]]
        for position, token in enumerate(inputs[:-1]):
            logits = reference.logits(token)
            if position < window // 2:
                continue
            most = max(logits)
            total = sum(math.exp(logit - most) for logit in logits)
            following = inputs[position + 1]
            losses.append(math.log(total) + most - logits[following])
            byte = following - FIRST_BYTE
            characters += following == SPACE or not 0x80 <= byte < 0xC0
    mean = sum(losses) / len(losses)
    variance = sum(loss * loss for loss in losses) / len(losses) - mean * mean
    perplexity = math.exp(mean)
    error = math.sqrt(variance / (len(losses) - 1)) * perplexity
    return perplexity, error, sum(losses) / math.log(2) / characters, len(losses)


def measure(program: Path, folder: Path, name: str, text: bytes, **config: object) -> Event:
    model = folder / "model.gguf"
    model.write_bytes(make_model(name).file)
    root = make_root(folder / "root", model)
    (root / "text").write_bytes(text)
    _, events = run(program, root, {"mode": "perplexity", "text": "/text", **config})
    return next(event for event in events if event["event"] == "perplexity")


@pytest.mark.parametrize("name", WINDOWS)
def test_perplexity(linux_program: Path, tmp_path: Path, name: str) -> None:
    window = WINDOWS[name]
    event = measure(linux_program, tmp_path, name, TEXT.encode(), positions=window)
    perplexity, error, bits, count = expected(name, window)
    assert event["perplexity"] == pytest.approx(perplexity, rel=1e-5, abs=1e-4)
    assert event["error"] == pytest.approx(error, rel=1e-4, abs=1e-4)
    assert event["bits_per_character"] == pytest.approx(bits, rel=1e-5, abs=1e-4)
    assert (event["tokens"], event["window"]) == (count, window)
    assert event["windows"] == len(tokens_of(TEXT)) // window


def test_in_the_machine(linux_program: Path, image: Path, tmp_path: Path) -> None:
    """`run` with the text of a file of the host: standard output has what the Linux program prints."""
    disk = DiskImage.copy(image, tmp_path / "disk.img")
    disk.write("/model/model.bin", make_model("gemma3").file)
    text = tmp_path / "text"
    text.write_bytes(TEXT.encode())
    arguments = [f"image={disk.path}", "mode=perplexity", f"text={text}", "config=positions=32"]
    command = [sys.executable, "-m", "bareflow.run.run", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "site_scons")}
    result = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, env=environment)
    assert result.returncode == 0, result.stderr
    measure(linux_program, tmp_path, "gemma3", TEXT.encode())
    settings = {"mode": "perplexity", "text": "/text", "positions": 32}
    printed, _ = run(linux_program, tmp_path / "root", settings)
    assert result.stdout.decode() == printed
    assert printed.splitlines()[-1].startswith("perplexity ")


def test_no_perplexity(linux_program: Path, tmp_path: Path) -> None:
    texts = {
        "/text: it has 15 tokens, which is less than two windows of 8": "xyz" * 4 + "x",
        "/text: it has a byte 0: it is no text": "x\0y",
    }
    for message, text in texts.items():
        with pytest.raises(LinuxRunError, match=message):
            measure(linux_program, tmp_path, "llama", text.encode(), positions=8)
    with pytest.raises(LinuxRunError, match="a window of 3 positions is too short for perplexity"):
        measure(linux_program, tmp_path, "llama", b"xyz", positions=3)
    with pytest.raises(LinuxRunError, match="mode = perplexity wants text = FILE"):
        run(linux_program, tmp_path / "root", {"mode": "perplexity"})
