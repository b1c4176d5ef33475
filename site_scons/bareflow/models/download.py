"""Files from the internet that are used only when their size and SHA-256 are the expected ones.

What has come of a file is kept beside it as NAME.part, and the next attempt goes on from there. A file gets
its own name when it is whole and right, so whatever has that name can be used.
"""

import fcntl
import hashlib
import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from bareflow.errors import BareFlowError

Progress = Callable[[int], None]
"""Gets the number of bytes that are there."""

_PIECE = 1 << 18
_SILENCE = 30.0
"""Seconds without a byte after which the other side counts as gone."""


class DownloadError(BareFlowError):
    """A file could not be had; the message says why."""


@dataclass(frozen=True)
class Download:
    """A file as it must be."""

    name: str
    url: str
    size: int
    sha256: str


class Expected(Protocol):
    """What is known of a file before it is there."""

    @property
    def name(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def sha256(self) -> str: ...


def is_whole(file: Expected, path: Path) -> bool:
    """Whether `path` is this file; reads all of it."""
    return path.is_file() and path.stat().st_size == file.size and sha256_of(path) == file.sha256


def fetch(file: Download, folder: Path, progress: Progress) -> Path:
    """The file in `folder`, downloaded unless it is there already; raises DownloadError."""
    return keep(file, folder, partial(_download, file, progress))


def keep(file: Expected, folder: Path, make: Callable[[Path], None]) -> Path:
    """The file in `folder`. Unless it is there already, `make` gets the path NAME.part, where it has to make
    the whole file. Raises DownloadError, also for what is wrong with the folder."""
    target, part = folder / file.name, folder / f"{file.name}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder / f"{file.name}.lock"):
            if not is_whole(file, target):
                make(part)
                os.replace(part, target)
    except OSError as error:
        raise DownloadError(f"{file.name} cannot be kept in {folder}: {error.strerror or error}") from error
    return target


def _download(file: Download, progress: Progress, part: Path) -> None:
    """Makes `part` the file, and removes what is not."""
    resumed = part.exists()
    _complete(file, part, progress)
    if resumed and not is_whole(file, part):
        part.unlink()  # it may have been the rest of something else
        _complete(file, part, progress)
    if not is_whole(file, part):
        part.unlink()
        raise DownloadError(f"{file.url} is not the file that was expected: its SHA-256 is another")


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Keeps other builds from downloading the same file at the same time."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _complete(file: Download, part: Path, progress: Progress) -> None:
    """Makes `part` as long as the file has to be, beginning with what is there."""
    done = part.stat().st_size if part.exists() else 0
    if done >= file.size:
        return
    with _open(file, done) as response:
        begin = _begin(file, response, done)
        with part.open("r+b" if begin else "wb") as out:
            out.seek(begin)
            _copy(file, response, out, progress)


def _open(file: Download, begin: int) -> http.client.HTTPResponse:
    """The server's answer to a request for the file from `begin` on."""
    headers = {"Range": f"bytes={begin}-"} if begin else {}
    request = urllib.request.Request(file.url, headers=headers)
    host = urllib.parse.urlsplit(file.url).netloc
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_SILENCE)
    except urllib.error.HTTPError as error:
        error.close()
        raise DownloadError(f"{file.url}: the server answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        reason = getattr(error.reason, "strerror", None) or error.reason
        raise DownloadError(
            f"{host} cannot be reached ({reason}): this machine seems to be offline"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(f"{host} gave no answer ({error})") from error
    return response


def _begin(file: Download, response: http.client.HTTPResponse, wanted: int) -> int:
    """From which byte on the server sends: `wanted`, or 0 if it does not send parts."""
    begin = wanted if response.status == http.HTTPStatus.PARTIAL_CONTENT else 0
    if response.length is not None and begin + response.length != file.size:
        raise DownloadError(
            f"{file.url} is not the file that was expected: it has {begin + response.length} bytes "
            f"instead of {file.size}"
        )
    return begin


def _copy(file: Download, response: http.client.HTTPResponse, out: BinaryIO, progress: Progress) -> None:
    """Writes what comes; raises DownloadError when it is not what was missing."""
    done = out.tell()
    cause: Exception | None = None
    while done <= file.size:
        try:
            piece = response.read1(_PIECE)
        except (OSError, http.client.HTTPException) as error:
            cause = error
            break
        if not piece:
            break
        out.write(piece)
        done += len(piece)
        progress(done)
    if done < file.size:
        raise DownloadError(
            f"{file.url}: the connection ended after {done} of {file.size} bytes; they are kept, so try again"
        ) from cause
