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
from bareflow.models.packages import Assembled
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
GGUF = [
    "tinyllama-1.1b-chat",
    "smollm2-135m-instruct",
    "smollm2-135m-instruct-q4_1",
    "smollm2-360m-instruct",
    "llama-3.2-1b-instruct",
    "qwen2.5-0.5b-instruct",
    "gemma3-270m",
]


def checkpoint_size(dim: int, hidden: int, layers: int, heads: int, context: int) -> int:
    """Bytes of a version 0 checkpoint: seven numbers, then float32 weights and tables for RoPE."""
    layer = 2 * dim + 4 * dim * dim + 3 * dim * hidden
    return 4 * (7 + 32000 * dim + layers * layer + dim + context * dim // heads)


def test_catalogue_is_complete() -> None:
    catalogue = load_catalogue(ROOT / "models.toml")
    assert set(SHAPES) | set(GGUF) == set(catalogue)
    for name, shape in SHAPES.items():
        assert catalogue[name].file.size == checkpoint_size(*shape)
        assert catalogue[name].tokenizer
    for name in GGUF:
        assert catalogue[name].tokenizer is None
        assert re.fullmatch(rf"{re.escape(name)}: [A-Z].+, https://\S+", catalogue[name].licence)
    downloads = [file for model in catalogue.values() for file in (model.file, model.tokenizer) if file]
    packages = [part for file in downloads if isinstance(file, Assembled) for part in file.packages]
    for file in downloads:
        assert isinstance(file, Assembled) or re.fullmatch(r"https://\S+\.(bin|gguf)", file.url)
    sums = [file.sha256 for file in downloads] + [package.sha256 for package in packages]
    assert all(re.fullmatch("[0-9a-f]{64}", entry) for entry in sums)
    assert len({model.file.sha256 for model in catalogue.values()}) == len(catalogue)
    assert len({package.sha256 for package in packages}) == len(packages) == 5


def test_licence_is_named_before_the_first_download(tmp_path: Path) -> None:
    with serve(FileServer(b"GGUF" * 100)) as server:
        digest = hashlib.sha256(server.content).hexdigest()
        (tmp_path / "models.toml").write_text(
            f'[tokenizers]\n[models.tiny]\nurl = "{server.url}"\nbytes = 400\nsha256 = "{digest}"\n'
            'licence = "Some Licence"\nterms = "https://example.org/terms"\n'
        )
        said = [catalogue_program(tmp_path, "tiny.gguf") for _ in range(2)]
    assert said[0].startswith(
        "           tiny: Some Licence, https://example.org/terms\n           tiny.gguf: "
    )
    assert "Licence" not in said[1]
    assert (tmp_path / "tiny.gguf").read_bytes() == server.content


def catalogue_program(folder: Path, name: str) -> str:
    """What the program says that downloads a file of folder/models.toml to the folder."""
    command = [sys.executable, "-m", "bareflow.models.model_catalogue"]
    return subprocess.run(
        [*command, str(folder / "models.toml"), str(folder), name],
        env={**os.environ, "PYTHONPATH": str(ROOT / "site_scons"), "no_proxy": "127.0.0.1"},
        stderr=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    ).stderr


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
    # For platform=linux the graph of the tests, which these targets do not need, is not made.
    arguments = ["platform=linux", "model=tiny", *map(str, files)]
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
        (tmp_path / "models.toml").write_text(
            f'[tokenizers]\n[models.model]\nurl = "{server.url}"\nbytes = 100000\nsha256 = "{"0" * 64}"\n'
        )
        what = [str(tmp_path / "models.toml"), str(tmp_path), "model.gguf"]
        with subprocess.Popen(
            [sys.executable, "-m", "bareflow.models.model_catalogue", *what],
            env={**os.environ, "PYTHONPATH": str(ROOT / "site_scons"), "no_proxy": "127.0.0.1"},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            assert "model.gguf: " in process.stderr.readline()  # the first bytes are there
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 128 + signal.SIGINT
            assert "Traceback" not in process.stderr.read()
        assert server.hold is not None
        server.hold.set()
    (part,) = tmp_path.glob("*.part")
    assert 0 < part.stat().st_size <= 70_000
    assert not (tmp_path / "model.gguf").exists()


@pytest.mark.parametrize("target", ["run", "bench"])
def test_missing_default_model(checkout: Path, tmp_path: Path, target: str) -> None:
    result = scons(checkout, tmp_path / "cache", target)
    assert result.returncode != 0
    assert f"bareflow: {target} needs a model, and there is no tinyllama/model/default.bin" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (checkout / "build" / "x86_64").exists()
