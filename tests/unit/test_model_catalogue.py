"""models.toml, and model=NAME from the command line to the user's cache."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from bareflow.models.model_catalogue import load_catalogue, unknown_model
from file_server import FileServer, serve

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["default", "stories15M", "stories42M", "stories110M"]
# The models' shapes, from their own headers as llama2.c's readers print them:
# dim, hidden_dim, layers, heads (of keys and values as well), context; 32000 pieces, shared classifier.
SHAPES = {
    "stories15M": (288, 768, 6, 6, 256),
    "stories42M": (512, 1376, 8, 8, 1024),
    "stories110M": (768, 2048, 12, 12, 1024),
}


def checkpoint_size(dim: int, hidden: int, layers: int, heads: int, context: int) -> int:
    """Bytes of a version 0 checkpoint: seven numbers, then float32 weights and tables for RoPE."""
    layer = 2 * dim + 4 * dim * dim + 3 * dim * hidden
    return 4 * (7 + 32000 * dim + layers * layer + dim + context * dim // heads)


def test_catalogue_is_complete() -> None:
    catalogue = load_catalogue(ROOT / "models.toml")
    assert set(catalogue) == set(SHAPES)
    for name, model in catalogue.items():
        assert model.checkpoint.size == checkpoint_size(*SHAPES[name])
        assert model.checkpoint.url.startswith("https://") and model.checkpoint.url.endswith(f"/{name}.bin")
        for file in (model.checkpoint, model.tokenizer):
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
    assert len({model.checkpoint.sha256 for model in catalogue.values()}) == len(catalogue)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("stories15m", " Did you mean model=stories15M?"),
        ("story42M", " Did you mean model=stories42M?"),
        ("defualt", " Did you mean model=default?"),
        ("gpt-7", ""),
    ],
)
def test_unknown_name(value: str, hint: str) -> None:
    message = unknown_model(value, Path("/here") / value, NAMES)
    assert message == (
        f"model={value}: there is no file /here/{value}, and no model of this name: {', '.join(NAMES)}.{hint}"
    )


def scons(top: Path, cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "SCons", "-Q", *arguments],
        cwd=top,
        env={**os.environ, "XDG_CACHE_HOME": str(cache), "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the sources whose catalogue can be another and whose default model is missing."""
    left_out = shutil.ignore_patterns(".git", ".venv", "build", "custom.py", "model", "*_cache")
    shutil.copytree(ROOT, tmp_path / "top", ignore=left_out)
    return tmp_path / "top"


def write_catalogue(top: Path, model: FileServer, tokenizer: FileServer) -> None:
    def entry(server: FileServer) -> str:
        digest = hashlib.sha256(server.content).hexdigest()
        return f'url = "{server.url}"\nbytes = {len(server.content)}\nsha256 = "{digest}"\n'

    (top / "models.toml").write_text(
        f'[tokenizers.pieces]\n{entry(tokenizer)}[models.tiny]\n{entry(model)}tokenizer = "pieces"\n'
    )


def test_name_on_the_command_line(checkout: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    files = [cache / "bareflow" / "models" / name for name in ("tiny.bin", "pieces.tokenizer.bin")]
    arguments = ["model=tiny", *map(str, files)]
    model, tokenizer = FileServer(b"model" * 1000), FileServer(b"tokenizer" * 50)
    with serve(model), serve(tokenizer):
        write_catalogue(checkout, model, tokenizer)
        result = scons(checkout, cache, *arguments)
        assert result.returncode == 0, result.stderr
        assert [file.read_bytes() for file in files] == [model.content, tokenizer.content]
        assert "tiny.bin: 0.0 of 0.0 MB" in result.stderr
        # Another checkout, or one that has forgotten: what is in the cache is checked and used.
        shutil.rmtree(checkout / "build")
        assert scons(checkout, cache, *arguments).returncode == 0
    assert len(model.ranges) == len(tokenizer.ranges) == 1
    # And now without any server: nothing is left to do.
    assert scons(checkout, cache, *arguments).returncode == 0
    files[0].unlink()
    result = scons(checkout, cache, *arguments)
    assert result.returncode != 0
    assert re.search(
        r"^bareflow: 127\.0\.0\.1:\d+ cannot be reached \(Connection refused\): this machine seems to be "
        r"offline\. Without a download: model=FILE tokenizer=FILE, or no model= for the project's own\.$",
        result.stderr,
        re.MULTILINE,
    )
    assert "Traceback" not in result.stderr
    assert not files[0].exists()


def test_interrupt_ends_a_download_and_keeps_what_came(tmp_path: Path) -> None:
    server = FileServer(bytes(100_000), break_after=70_000, hold=threading.Event())
    with serve(server):
        what = ["model.bin", server.url, str(len(server.content)), "0" * 64]
        with subprocess.Popen(
            [sys.executable, "-m", "bareflow.models.model_catalogue", str(tmp_path), *what],
            env={**os.environ, "PYTHONPATH": str(ROOT / "site_scons"), "no_proxy": "127.0.0.1"},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            assert "model.bin: " in process.stderr.readline()  # the first bytes are there
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 128 + signal.SIGINT
            assert "Traceback" not in process.stderr.read()
        assert server.hold is not None
        server.hold.set()
    (part,) = tmp_path.glob("*.part")
    assert 0 < part.stat().st_size <= 70_000
    assert not (tmp_path / "model.bin").exists()


@pytest.mark.parametrize("target", ["run", "bench"])
def test_missing_default_model(checkout: Path, tmp_path: Path, target: str) -> None:
    result = scons(checkout, tmp_path / "cache", target)
    assert result.returncode != 0
    assert f"bareflow: {target} needs a model, and there is no tinyllama/model/default.bin" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (checkout / "build" / "x86_64").exists()
