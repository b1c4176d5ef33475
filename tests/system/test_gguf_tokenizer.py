"""Tokenizers in GGUF files: ids against encoders in plain Python and against llama.cpp's own cases."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from bareflow.bench.linux_session import make_root, record, run
from gguf_bpe import RULES, USER_DEFINED, ByteTokenizer, random_text
from gguf_file import Value, gguf_metadata
from gguf_model import spm_tokenizer
from smallest_model import model_with

TEXTS = 25
DIVIDER = "\n__ggml_vocab_test__\n"


class Encoder:
    """Encodes texts by the program."""

    def __init__(self, program: Path, folder: Path, tokenizer: dict[str, Value]) -> None:
        self._program = program
        file = folder / "model.gguf"
        file.write_bytes(model_with(tokenizer))
        self._root = make_root(folder / "root", file)

    def ids(self, text: str, count: int) -> list[int]:
        """The first count ids of the text, or all."""
        ids, _ = record(self._program, self._root, {"prompt": text, "steps": count + 2, "positions": 1 << 16})
        return [int(number) for number in ids.split()][:count]

    def is_decoded(self, text: str, count: int) -> bool:
        """Whether the text comes out again, of at most count tokens. The console leaves returns out."""
        config = {"mode": "generate", "temperature": 0, "prompt": text, "steps": count}
        return run(self._program, self._root, config)[0].startswith(text.replace("\r", ""))


@pytest.mark.parametrize("rules", RULES)
def test_byte_level(linux_program: Path, tmp_path: Path, rules: str) -> None:
    """Random texts become the ids that regular expressions and merging by rank give, and come out again."""
    tokenizer = ByteTokenizer()
    encoder = Encoder(linux_program, tmp_path, tokenizer.metadata(rules))
    chance = random.Random(rules)
    texts = [random_text(chance, chance.randrange(1, 120)) for _ in range(TEXTS)]
    texts += [
        "it's I'LL we'Ve 'S",
        "a" * 3000,
        "  \n\n \n x",
        "12345 6 ٣٣٣٣½",
        f"a{USER_DEFINED} b",
        "a  b   c",
    ]
    for text in texts:
        expected = tokenizer.encode(text, rules)
        assert encoder.ids(text, len(expected)) == expected, repr(text)
        assert encoder.is_decoded(text, len(expected)), repr(text)


def test_scores(linux_program: Path, tmp_path: Path) -> None:
    """Every text comes out again, control pieces' names too."""
    encoder = Encoder(linux_program, tmp_path, spm_tokenizer())
    chance = random.Random("scores")
    for text in ["abc", " abc", "</s> \u2581", *(random_text(chance, 50) for _ in range(TEXTS))]:
        count = len(text.encode()) + 3
        assert encoder.is_decoded(text, count), repr(text)


@pytest.mark.parametrize("kind", ["spm", "bpe"])
def test_cases_of_llama_cpp(linux_program: Path, models: Path, tmp_path: Path, kind: str) -> None:
    file = models.parent / "gguf" / f"ggml-vocab-llama-{kind}.gguf"
    if not file.is_file():
        pytest.skip("this compares with cases of llama.cpp, which are not here")
    entries = gguf_metadata(file.read_bytes())
    tokenizer = {key: value for key, value in entries.items() if key.startswith("tokenizer.")}
    encoder = Encoder(linux_program, tmp_path, tokenizer)
    texts = Path(f"{file}.inp").read_bytes().decode().split(DIVIDER)
    lines = Path(f"{file}.out").read_text().splitlines()
    assert len(lines) > 40
    for text, line in zip(texts, lines, strict=False):
        expected = [int(number) for number in line.split()]
        assert encoder.ids(text, len(expected)) == expected, repr(text)
