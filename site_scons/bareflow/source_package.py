"""Files of Debian's source packages, fetched once into the user's cache."""

import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from bareflow import debian
from bareflow.errors import BareFlowError

Progress = Callable[[str], None]


class SourceError(BareFlowError):
    """The archive is not what it should be."""


@dataclass(frozen=True)
class Source:
    """A source package, and what of it is used."""

    path: str
    """In Debian's archive."""
    sha256: str
    parts: tuple[str, ...]
    """Folders and files; their paths are without the archive's top folder."""
    inner: str = ""
    """The archive inside of it that has the parts; empty: itself."""

    @property
    def key(self) -> str:
        """Names the set of files."""
        return hashlib.sha256("\n".join([self.sha256, self.inner, *self.parts]).encode()).hexdigest()[:16]


def unpack(stream: IO[bytes], parts: Iterable[str], to: Path) -> None:
    """Writes these files, and those below these folders, of a tarball of any compression; paths lose their
    first part."""
    files = set(parts)
    folders = tuple(f"{part}/" for part in files)
    with tarfile.open(fileobj=stream, mode="r|*") as archive:
        for member in archive:
            name = member.name.partition("/")[2]
            wanted = name in files or name.startswith(folders)
            if member.isfile() and wanted and ".." not in Path(name).parts:
                content = archive.extractfile(member)
                path = to / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read() if content else b"")


def _unpack_source(package: Path, source: Source, to: Path) -> None:
    try:
        with package.open("rb") as file:
            if not source.inner:
                unpack(file, source.parts, to)
                return
            with tarfile.open(fileobj=file, mode="r|*") as archive:
                for member in archive:
                    if member.name == source.inner:
                        unpack(cast(IO[bytes], archive.extractfile(member)), source.parts, to)
                        return
    except (OSError, EOFError, tarfile.TarError) as error:
        raise SourceError(f"{package} cannot be read: {error}") from error
    raise SourceError(f"{package} has no {source.inner}")


def folder_of(name: str, source: Source, cache: Path, progress: Progress) -> Path:
    """The folder in the cache with the source's files, which are fetched if they are not there."""
    made = cache / f"{name}-{source.key}"
    if made.is_dir():
        return made
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        package = debian.fetch(source.path, source.sha256, Path(temporary), progress)
        progress(f"unpacking {', '.join(source.parts)}")
        _unpack_source(package, source, Path(temporary) / "made")
        for part in source.parts:
            if not (Path(temporary) / "made" / part).exists():
                raise SourceError(f"{package.name} has no {part}")
        shutil.rmtree(made, ignore_errors=True)
        os.replace(Path(temporary) / "made", made)
    return made
