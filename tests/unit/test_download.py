"""Downloads from a server on loopback: whole and right, or an error and no file of that name."""

from __future__ import annotations

import hashlib
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from bareflow.models.download import Download, DownloadError, fetch
from file_server import FileServer, serve

CONTENT = random.Random(7).randbytes(1_000_003)
OTHER = random.Random(8).randbytes(len(CONTENT))
CUT = 700_001


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serve(FileServer(CONTENT)) as server:
        yield server


def wanted(server: FileServer) -> Download:
    return Download("model.bin", server.url, len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def ignore(done: int) -> None:
    """Progress that nobody watches."""


def test_good_file_is_fetched_once(server: FileServer, tmp_path: Path) -> None:
    seen: list[int] = []
    folder = tmp_path / "a" / "b"
    assert fetch(wanted(server), folder, seen.append) == folder / "model.bin"
    assert (folder / "model.bin").read_bytes() == CONTENT
    assert seen == sorted(seen) and seen[-1] == len(CONTENT)
    assert not (folder / "model.bin.part").exists()
    fetch(wanted(server), folder, seen.append)
    assert server.ranges == [None]


def test_damaged_file_is_fetched_again(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(OTHER)
    fetch(wanted(server), tmp_path, ignore)
    assert (tmp_path / "model.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("parts", [True, False], ids=["server sends parts", "whole files only"])
def test_cut_off_transfer_is_resumed(server: FileServer, tmp_path: Path, parts: bool) -> None:
    server.break_after = CUT
    with pytest.raises(DownloadError, match=f"ended after {CUT} of {len(CONTENT)} bytes; they are kept"):
        fetch(wanted(server), tmp_path, ignore)
    assert not (tmp_path / "model.bin").exists()
    server.break_after, server.parts = None, parts
    fetch(wanted(server), tmp_path, ignore)
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={CUT}-"]


def test_rest_of_another_file_is_given_up(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "model.bin.part").write_bytes(OTHER[:CUT])
    fetch(wanted(server), tmp_path, ignore)
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
    assert server.ranges == [f"bytes={CUT}-", None]


def test_wrong_hash(server: FileServer, tmp_path: Path) -> None:
    server.content = OTHER
    with pytest.raises(DownloadError, match="is not the file that was expected: its SHA-256 is another"):
        fetch(wanted(server), tmp_path, ignore)
    assert [path.name for path in tmp_path.iterdir()] == ["model.bin.lock"]


@pytest.mark.parametrize("size", [0, len(CONTENT) - 1, len(CONTENT) + 1])
def test_wrong_size(server: FileServer, tmp_path: Path, size: int) -> None:
    server.content = (CONTENT + OTHER)[:size]
    with pytest.raises(DownloadError, match=f"it has {size} bytes instead of {len(CONTENT)}"):
        fetch(wanted(server), tmp_path, ignore)
    assert not (tmp_path / "model.bin").exists()


def test_missing_on_the_server(server: FileServer, tmp_path: Path) -> None:
    file = wanted(server)
    gone = Download(file.name, file.url + ".gone", file.size, file.sha256)
    with pytest.raises(DownloadError, match=r"file\.bin\.gone: the server answers 404 Not Found"):
        fetch(gone, tmp_path, ignore)
    assert not (tmp_path / "model.bin").exists()


def test_no_connection(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # taken, but nobody listens
        port = unused.getsockname()[1]
        file = Download("model.bin", f"http://127.0.0.1:{port}/file.bin", 1, "0" * 64)
        with pytest.raises(
            DownloadError, match=rf"127\.0\.0\.1:{port} cannot be reached .Connection refused"
        ):
            fetch(file, tmp_path, ignore)


def test_server_that_only_hangs_up(tmp_path: Path) -> None:
    class Mute(FileServer):
        def answer(self, request: object) -> None:
            """Not a byte."""

    with serve(Mute(CONTENT)) as server:
        with pytest.raises(DownloadError, match=r"cannot be reached|gave no answer"):
            fetch(wanted(server), tmp_path, ignore)


def test_folder_that_cannot_be_made(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DownloadError, match=r"model\.bin cannot be kept in .*/file"):
        fetch(wanted(server), tmp_path / "file", ignore)
