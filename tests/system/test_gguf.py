"""Models in GGUF files: logits against a forward pass in 64-bit floats, the same bits everywhere; and where
the shared reference files are, their exact logits."""

from __future__ import annotations

import array
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from bareflow.bench.linux_session import LinuxRunError, make_root, record, run
from bareflow.bench.reference_errors import LLAMA_CPP
from disk_tools import DiskImage
from gguf_file import Tensor, Value, gguf_file
from gguf_model import BITS, SHAPES, error_of, expected_logits, make_model, prompt_config
from project_files import ROOT

WIDTHS = {"sse2": "sse2", "avx2": "avx2", "avx512": "avx512_vnni"}
"""Vector widths, and the flag of the processor that they need."""
ROUNDING, QUANTISED = 5e-6, 0.06
"""How far logits may be from 64-bit floats: where only float32 rounds, and where activations have 8 bits."""

# Of those without quantised weights, it is what float32 may make; gemma3's GELU is from a table of binary16.
EXACT = dict.fromkeys(("llama-gqa-untied", "llama-head-24", "llama-rope-freqs", "qwen2", "qwen3"), ROUNDING)
EXACT |= {"gemma3": 1.5e-4} | {f"types-{name}": error for name, error in LLAMA_CPP.items()}

Files = Callable[[str], Path]


@pytest.fixture(scope="module")
def references(models: Path) -> Path:
    """Folder of GGUF files with exact logits and token ids."""
    folder = models.parent / "gguf"
    if not folder.is_dir():
        pytest.skip("this compares with GGUF files and logits of other programs, which are not here")
    return folder


def widths() -> list[str]:
    """Those that this processor has."""
    flags = Path("/proc/cpuinfo").read_text().split()
    return [name for name, flag in WIDTHS.items() if flag in flags]


def logits_of(program: Path, folder: Path, model: Path, width: str, **config: object) -> bytes:
    return record(program, make_root(folder, model), {"vector": width, **config})[1]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The file of a model of SHAPES."""
    folder = tmp_path_factory.mktemp("gguf")

    def make(name: str) -> Path:
        path = folder / f"{name}.gguf"
        if not path.exists():
            path.write_bytes(make_model(name).file)
        return path

    return make


@pytest.mark.parametrize("name", SHAPES)
def test_logits(linux_program: Path, made: Files, tmp_path: Path, name: str) -> None:
    found = {
        width: logits_of(linux_program, tmp_path, made(name), width, **prompt_config()) for width in widths()
    }
    assert len(set(found.values())) == 1, "the widths differ"
    error = error_of(list(array.array("f", found["sse2"])), expected_logits(make_model(name)))
    assert error < (QUANTISED if SHAPES[name].types else ROUNDING)


@pytest.mark.parametrize("kv", BITS)
def test_bits(linux_program: Path, made: Files, tmp_path: Path, kv: str) -> None:
    for width in widths():
        found = logits_of(linux_program, tmp_path, made("few types"), width, **prompt_config(), kv=kv)
        assert hashlib.sha256(found).hexdigest() == BITS[kv]


@pytest.mark.parametrize("name", ["few types", "llama"])
def test_kv_cache_by_default(linux_program: Path, made: Files, tmp_path: Path, name: str) -> None:
    """binary16 where weights are quantised, float32 where they are not."""
    config = {**prompt_config(), "mode": "generate"}
    _, events = run(linux_program, make_root(tmp_path, made(name)), config)
    (cache,) = (event for event in events if event["event"] == "kv_cache")
    assert cache["type"] == ("f16" if SHAPES[name].types else "f32")


@pytest.mark.parametrize("name", ["gemma3", "few types"])
def test_in_the_machine(linux_program: Path, image: Path, made: Files, tmp_path: Path, name: str) -> None:
    """The same bits, by `run` with files for logits and ids."""
    disk = DiskImage.copy(image, tmp_path / "disk.img")
    disk.write("/model/model.bin", made(name).read_bytes())
    before = disk.path.read_bytes()
    options = {**prompt_config(), "logits": tmp_path / "logits", "ids": tmp_path / "ids", "image": disk.path}
    arguments = [f"{key}={value}" for key, value in options.items()]
    command = [sys.executable, "-m", "bareflow.run.run", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "site_scons")}
    result = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, env=environment)
    assert result.returncode == 0, result.stderr
    expected = logits_of(linux_program, tmp_path / "root", made(name), "sse2", **prompt_config())
    assert (tmp_path / "logits").read_bytes() == expected
    ids = (tmp_path / "ids").read_text().split()
    prompt = str(prompt_config()["prompt_ids"]).split(",")
    assert ids[: len(prompt) - 1] == prompt[1:]
    assert disk.path.read_bytes() == before, "the image has changed"


@pytest.mark.parametrize("name", EXACT)
def test_reference_files(linux_program: Path, references: Path, tmp_path: Path, name: str) -> None:
    """No further from the exact logits than llama.cpp."""
    ids = (references / "ids.txt").read_text().split()
    config = {"prompt_ids": ",".join(ids), "steps": len(ids)}
    found = logits_of(linux_program, tmp_path, references / f"{name}.gguf", widths()[-1], **config)
    expected = (references / f"{name}.exact.logits.f32").read_bytes()
    error = error_of(list(array.array("f", found)), list(array.array("f", expected)))
    assert error <= EXACT[name]


def test_tensors_of_any_order_and_alignment(linux_program: Path, made: Files, tmp_path: Path) -> None:
    """The same bits from version 2, with the tensors backwards at multiples of 8 bytes."""
    model = make_model("qwen3")
    metadata = model.metadata | {"general.alignment": 8}
    other = tmp_path / "other.gguf"
    other.write_bytes(gguf_file(metadata, model.tensors[::-1], version=2))
    files = (made("qwen3"), other)
    found = {logits_of(linux_program, tmp_path / "root", file, "sse2", **prompt_config()) for file in files}
    assert len(found) == 1


def test_bad_files(linux_program: Path, tmp_path: Path) -> None:
    """One line, that says what is wrong."""
    model = make_model("llama")
    tokens = model.metadata["tokenizer.ggml.tokens"]
    assert isinstance(tokens, list)
    extra = Tensor("blk.0.ffn_gate.bias", 0, 48, None, bytes(4 * 48))
    changes: dict[str, dict[str, Value]] = {
        'its architecture is "rwkv"; there are llama qwen2 qwen3 gemma3': {"general.architecture": "rwkv"},
        "its llama.block_count is 0, which is not between 1 and 1024": {"llama.block_count": 0},
        "it has no tensor blk.2.attn_norm.weight": {"llama.block_count": 3},
        'its RoPE is scaled by "yarn"; there are none and linear': {"llama.rope.scaling.type": "yarn"},
        'its tokenizer is of the kind "bert"; there are llama and gpt2': {"tokenizer.ggml.model": "bert"},
        "its tokenizer.ggml.tokens has 271 elements where its model has 272": {
            "tokenizer.ggml.tokens": tokens[:-1]
        },
        "its attention has a soft cap, which is not supported": {"llama.attn_logit_softcapping": 50.0},
    }
    files = {
        message: gguf_file(model.metadata | change, model.tensors) for message, change in changes.items()
    }
    name = "its tensor blk.0.ffn_gate.bias is no part of a model of the architecture llama"
    files[name] = gguf_file(model.metadata, [*model.tensors, extra])
    files["damaged or cut short: its tensor "] = model.file[:-64]
    for message, data in files.items():
        bad = tmp_path / "bad.gguf"
        bad.write_bytes(data)
        root = make_root(tmp_path / "root", bad)
        with pytest.raises(LinuxRunError) as error:
            run(linux_program, root, {"mode": "generate", "prompt": "a"})
        assert f"error: /model/model.bin: {message}" in str(error.value)
