"""The programs of others, fetched once into the user's cache: folders of Debian's source packages."""

import hashlib
import os
import shutil
import tarfile
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from bareflow import debian
from bareflow.errors import BareFlowError

Progress = Callable[[str], None]


class FoldersError(BareFlowError):
    """The archive is not what it should be."""


@dataclass(frozen=True)
class Source:
    """A source package, and what of it is used."""

    path: str
    sha256: str
    folders: tuple[str, ...]
    inner: str = ""
    """The archive inside of it that has the folders; empty: itself."""

    @property
    def key(self) -> str:
        """Names the set of files."""
        return hashlib.sha256("\n".join([self.sha256, self.inner, *self.folders]).encode()).hexdigest()[:16]


def read_sources(file: Path, llvm_libc: Path) -> dict[str, Source]:
    """Reads sources.toml; llvm_libc: the source.toml that pins LLVM's package."""
    said = tomllib.loads(file.read_text())
    package = tomllib.loads(llvm_libc.read_text())["debian"]
    made = {}
    for name, entry in said.items():
        pinned = entry if "path" in entry else package
        made[name] = Source(pinned["path"], pinned["sha256"], tuple(entry["folders"]), entry.get("inner", ""))
    return made


def unpack(stream: IO[bytes], folders: Iterable[str], to: Path) -> None:
    """Writes the files below these folders of a tarball of any compression; paths lose their first part."""
    wanted = tuple(f"{folder}/" for folder in folders)
    with tarfile.open(fileobj=stream, mode="r|*") as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            if member.isfile() and name.startswith(wanted) and ".." not in Path(name).parts:
                content = archive.extractfile(member)
                path = to / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read() if content else b"")


def _unpack_source(package: Path, source: Source, to: Path) -> None:
    try:
        with package.open("rb") as file:
            if not source.inner:
                unpack(file, source.folders, to)
                return
            with tarfile.open(fileobj=file, mode="r|*") as archive:
                for member in archive:
                    if member.name == source.inner:
                        unpack(cast(IO[bytes], archive.extractfile(member)), source.folders, to)
                        return
    except (OSError, EOFError, tarfile.TarError) as error:
        raise FoldersError(f"{package} cannot be read: {error}") from error
    raise FoldersError(f"{package} has no {source.inner}")


def folder_of(name: str, source: Source, cache: Path, progress: Progress) -> Path:
    """The folder in the cache with the source's files, which are fetched if they are not there."""
    made = cache / f"conformance-{name}-{source.key}"
    if made.is_dir():
        return made
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        package = debian.fetch(source.path, source.sha256, Path(temporary), progress)
        progress(f"unpacking {', '.join(source.folders)}")
        _unpack_source(package, source, Path(temporary) / "made")
        for folder in source.folders:
            if not (Path(temporary) / "made" / folder).is_dir():
                raise FoldersError(f"{package.name} has no folder {folder}")
        shutil.rmtree(made, ignore_errors=True)
        os.replace(Path(temporary) / "made", made)
    return made
