"""A file that Python's package index has in parts, one in a package.

pip downloads and checks the packages; each is kept in a folder NAME.parts until all are there. The file gets
its own name when it is put together, whole and right.
"""

import os
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from shutil import copyfileobj, rmtree
from typing import BinaryIO

from bareflow.models.download import DownloadError, Progress, alone, is_whole, keep, sha256_of

_RETRIES = 2
_INTERVAL = 0.2
"""Seconds between two looks at how much has come."""
_MOST_OUTPUT = 1 << 16

_REASONS = {
    "DO NOT MATCH THE HASHES": "what came is not the package that was expected: its SHA-256 is another",
    "No space left on device": "there is no room for it on the disk",
    "Failed to establish a new connection": "the package index cannot be reached: this machine seems to be "
    "offline",
    "Temporary failure in name resolution": "the package index cannot be reached: this machine seems to be "
    "offline",
    "No matching distribution found": "the package index does not have it",
    "IncompleteRead": "the connection ended before all of it had come; try again",
    "Read timed out": "the package index has stopped sending; try again",
}
"""What pip says, and what that means; the first one that it says counts."""


@dataclass(frozen=True)
class Package:
    """A wheel."""

    name: str
    version: str
    size: int
    sha256: str

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"

    @property
    def wheel(self) -> str:
        """Its name in the cache."""
        return f"{self.name}.whl"


@dataclass(frozen=True)
class Part(Package):
    """A wheel, and the file in it that is the part."""

    member: str


@dataclass(frozen=True)
class Assembled:
    """A file as it must be, and where its parts are, in their order."""

    name: str
    size: int
    sha256: str
    packages: tuple[Part, ...]

    @property
    def transfer(self) -> int:
        """Bytes of all packages."""
        return sum(package.size for package in self.packages)


def fetch_parts(file: Assembled, folder: Path, progress: Progress) -> Path:
    """The file in `folder`, put together unless it is there already; raises DownloadError."""
    parts = folder / f"{file.name}.parts"
    target = keep(file, folder, partial(_collect, file, parts, progress))
    rmtree(parts, ignore_errors=True)
    return target


def _collect(file: Assembled, parts: Path, progress: Progress, target: Path) -> None:
    """Gets all packages to the folder `parts` and puts the file together."""
    parts.mkdir(exist_ok=True)
    before = 0
    for package in file.packages:
        fetch_package(package, parts, partial(_add, progress, before))
        before += package.size
    progress(before)
    _assemble(file, parts, target)


def _add(progress: Progress, before: int, done: int) -> None:
    progress(before + done)


def fetch_package(package: Package, folder: Path, progress: Progress) -> Path:
    """The package in `folder`, downloaded unless it is there already; raises DownloadError, and OSError for
    what is wrong with the folder."""
    wheel = folder / package.wheel
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / f"{package.name}.lock"):
        if wheel.is_file() and sha256_of(wheel) == package.sha256:
            return wheel
        with tempfile.TemporaryDirectory(dir=folder, prefix="pip-") as work:
            _download(package, Path(work), progress)
            (came,) = Path(work, "wheel").iterdir()
            os.replace(came, wheel)
    return wheel


def _download(package: Package, work: Path, progress: Progress) -> None:
    """Has pip download the package to the folder `wheel` in `work`, which it also uses for what it needs on
    the way."""
    requirements = work / "requirements.txt"
    requirements.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--no-cache-dir", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:"]
    command += [f"--retries={_RETRIES}", "--dest", str(work / "wheel"), "--requirement", str(requirements)]
    environment = os.environ | {"TMPDIR": str(work)}
    with (
        (work / "output").open("w+b") as output,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
        ) as pip,
    ):
        try:
            while pip.poll() is None:
                time.sleep(_INTERVAL)
                progress(min(_bytes_of_wheels(work), package.size))
        except BaseException:
            pip.terminate()
            raise
        output.seek(0)
        said = output.read(_MOST_OUTPUT).decode(errors="replace")
    if pip.returncode != 0:
        raise DownloadError(f"{package.requirement}: {_reason(said)}")


def _bytes_of_wheels(work: Path) -> int:
    """How much has come. What is looked at may be moved meanwhile."""
    try:
        return sum(path.stat().st_size for path in work.rglob("*.whl"))
    except OSError:
        return 0


def _reason(said: str) -> str:
    for text, reason in _REASONS.items():
        if text in said:
            return reason
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.strip()]
    return f"pip says: {errors[-1] if errors else 'nothing'}"


def _assemble(file: Assembled, parts: Path, target: Path) -> None:
    try:
        with target.open("wb") as out:
            for package in file.packages:
                _append(package, parts / package.wheel, out)
        if not is_whole(file, target):
            raise DownloadError(f"{file.name}: the parts together are not the file that was expected")
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _append(package: Part, wheel: Path, out: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(package.member) as part:
            copyfileobj(part, out, 1 << 20)
    except KeyError:
        raise DownloadError(f"{package.requirement} has no {package.member} in it") from None
    except zipfile.BadZipFile as error:
        raise DownloadError(f"{package.requirement} is no package: {error}") from None
