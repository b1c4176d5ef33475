"""LLVM-libc's source: found, checked file by file against the committed hashes, and laid out for the build.

Looked for in this order: a tarball that the user names, the user's cache, Debian's source package through
apt's own downloader. Whatever it is, only files whose SHA-256 stands in llvm-libc/SHA256SUMS are used.
"""

import hashlib
import io
import os
import tarfile
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from bareflow import debian
from bareflow.errors import BareFlowError

Progress = Callable[[str], None]
_REPORT_EVERY = 32 << 20
_OWN_TARBALL = (
    "give the source yourself with llvm_libc_tarball=FILE: Debian's {file}, or LLVM's release tarball "
    "(llvm-project-{version}.src.tar.xz)"
)


class SourceError(BareFlowError):
    """LLVM-libc's source could not be had; the message says why and what to do."""


@dataclass(frozen=True)
class Pin:
    """What llvm-libc/source.toml and llvm-libc/SHA256SUMS say."""

    version: str
    debian_path: str
    debian_sha256: str
    header_names: list[str]
    header_functions: list[str]
    hosted_functions: list[str]
    sources: list[str]
    hosted: list[str]
    glibc_abi: list[str]
    internal_headers: list[str]
    files: dict[str, str]

    @property
    def for_programs(self) -> list[str]:
        """All that programs other than tinyllama may call."""
        return [*self.sources, *self.hosted, *self.glibc_abi]

    @property
    def key(self) -> str:
        """Names the set of files: a cache of another set is another cache."""
        listing = "".join(f"{digest} {path}\n" for path, digest in sorted(self.files.items()))
        return hashlib.sha256(listing.encode()).hexdigest()[:16]

    def own_tarball_hint(self) -> str:
        return _OWN_TARBALL.format(file=Path(self.debian_path).name, version=self.version)


def load_pin(folder: Path) -> Pin:
    """Reads the two files in `folder`."""
    toml = tomllib.loads((folder / "source.toml").read_text())
    files = {}
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, _, path = line.partition("  ")
        files[path] = digest
    return Pin(
        version=toml["version"],
        debian_path=toml["debian"]["path"],
        debian_sha256=toml["debian"]["sha256"],
        header_names=toml["headers"]["names"],
        header_functions=toml["headers"]["functions"],
        hosted_functions=toml["headers"]["hosted_functions"],
        sources=[name for group in toml["sources"].values() for name in group],
        hosted=[name for group in toml["hosted"].values() for name in group],
        glibc_abi=[name for group in toml["glibc_abi"].values() for name in group],
        internal_headers=toml["internal_headers"],
        files=files,
    )


class _Reported:
    """A file that reports how far it has been read."""

    def __init__(self, file: IO[bytes], size: int, progress: Progress) -> None:
        self._file, self._size, self._progress = file, size, progress
        self._done, self._next = 0, _REPORT_EVERY

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._done += len(data)
        if self._done >= self._next:
            self._next += _REPORT_EVERY
            self._progress(f"read {self._done >> 20} MiB of at most {self._size >> 20}")
        return data


def read_tarball(path: Path, pin: Pin, progress: Progress) -> dict[str, bytes]:
    """The pinned files out of a tarball of any compression; stops reading once it has them all."""
    wanted = dict(pin.files)
    found = {}
    try:
        with path.open("rb") as file:
            reported = _Reported(file, path.stat().st_size, progress)
            with tarfile.open(fileobj=cast(IO[bytes], reported), mode="r|*") as archive:
                for member in archive:
                    name = member.name.partition("/")[2]
                    if name not in wanted:
                        continue
                    content = archive.extractfile(member)
                    data = content.read() if content else b""
                    if hashlib.sha256(data).hexdigest() != wanted.pop(name):
                        raise SourceError(f"{path}: {name} is not LLVM-libc {pin.version}'s")
                    found[name] = data
                    if not wanted:
                        break
    except (OSError, EOFError, tarfile.TarError) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error
    if wanted:
        raise SourceError(f"{path} lacks {len(wanted)} files, {next(iter(wanted))} among them")
    return found


def _write_cache(path: Path, files: dict[str, bytes]) -> None:
    """Keeps the few files of the large tarball. Written beside and renamed, so it is whole or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as temporary:
        with tarfile.open(fileobj=temporary, mode="w") as archive:
            for name, data in files.items():
                member = tarfile.TarInfo(f"llvm/{name}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    os.replace(temporary.name, path)


def _fetch_debian(pin: Pin, folder: Path, progress: Progress) -> Path:
    """Downloads Debian's source package (188 MiB) into `folder`."""
    try:
        return debian.fetch(pin.debian_path, pin.debian_sha256, folder, progress)
    except debian.DebianError as error:
        raise SourceError(f"LLVM-libc's source: {error}; {pin.own_tarball_hint()}") from None


def find_files(pin: Pin, tarball: Path | None, cache: Path, progress: Progress) -> dict[str, bytes]:
    """The pinned files, path to contents, from the user's tarball, the cache folder, or Debian."""
    if tarball:
        return read_tarball(tarball, pin, progress)
    cached = cache / f"llvm-libc-{pin.version}-{pin.key}.tar"
    if cached.exists():
        try:
            return read_tarball(cached, pin, progress)
        except SourceError as error:
            progress(f"{error}; fetching it again")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        files = read_tarball(_fetch_debian(pin, Path(folder), progress), pin, progress)
    _write_cache(cached, files)
    return files


def lay_out(files: dict[str, bytes], folder: Path) -> None:
    """Writes the files below `folder`."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
