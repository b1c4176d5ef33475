"""The folder of all that is built: one build at a time in it; and the cache that builds share.

SCons keeps what it knows of the folder in memory and writes it down at its end: a second one meanwhile would
rebuild what the first has built, delete files that it reads, and forget one half of what was done.
"""

import errno
import fcntl
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import SCons.SConsign
import signature_file
from build_options import TOP, Options, user_path
from scons_paths import collapses, escaped

LOCK = ".lock"
BUILD = "#build"


def options(opts: Options) -> None:
    opts.add_file("build", "folder for all that is built", BUILD, convert=_build_folder, validator=None)


def _build_folder(value: str, folder: str) -> str:
    """The folder in SCons's notation: below the top folder "#...", which every SConscript understands."""
    if value in ("", BUILD):
        return BUILD
    path = Path(user_path(value, folder))
    if collapses(str(path.relative_to(TOP)) if path.is_relative_to(TOP) else str(path)):
        sys.exit(f"bareflow: build={path}: SCons takes no several spaces in a row and no tabs")
    return f"#{path.relative_to(TOP)}" if path.is_relative_to(TOP) else str(path)


class BuildLock:
    """Is held until the process ends, or until release(). Its file says who holds it."""

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        """Waits for the lock on the folder, and says so; arguments: ./bareflow's, for others who wait. Raises
        OSError."""
        self._file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 4096, 0).decode(errors="replace").strip()
            text = f"bareflow: waiting for another build in {folder} ({holder or 'it has just begun'})"
            print(text, file=sys.stderr, flush=True)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        command = shlex.join(["./bareflow", *(argument for argument in arguments if argument != "-Q")])
        os.truncate(self._file, 0)
        os.pwrite(self._file, f"process {os.getpid()}: {command}\n".encode(errors="surrogateescape"), 0)

    def release(self) -> None:
        """Lets others build: what is built is written down, and what this process still does is no more
        building. May be called once."""
        SCons.SConsign.write()
        SCons.SConsign.Reset()  # or it would be written again at the end, over what others have built by then
        os.close(self._file)


def prepare(env: Any) -> None:
    """Has env build in the folder of its option build=, and share objects in BAREFLOW_CACHE. Returns when no
    other build works in the folder; ends the build with a sentence if one cannot be used."""
    env["BUILD_ROOT"] = escaped(env["build"])
    env["BUILD_LOCK"] = locked(Path(env.Dir("$BUILD_ROOT").abspath), sys.argv[1:])
    env.SConsignFile(escaped(env.File("$BUILD_ROOT/.sconsign").path), signature_file)
    if cache := os.environ.get("BAREFLOW_CACHE"):
        env.CacheDir(escaped(shared_cache(user_path(cache))))


def locked(folder: Path, arguments: Sequence[str]) -> BuildLock:
    """Makes the folder and waits for the lock on it; the build ends with a sentence if that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return BuildLock(folder, arguments)
    except OSError as error:
        sys.exit(f"bareflow: {folder}: nothing can be built there: {error.strerror} ({error.filename})")


def shared_cache(folder: str) -> str:
    """The folder, made if need be; the build ends with a sentence if it cannot be used."""
    try:
        if collapses(folder):
            raise OSError(errno.EINVAL, "SCons takes no several spaces in a row and no tabs")
        Path(folder).mkdir(parents=True, exist_ok=True)
        with os.scandir(folder):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise OSError(errno.EACCES, "it cannot be written")
    except OSError as error:
        sys.exit(f"bareflow: BAREFLOW_CACHE={folder}: {error.strerror}")
    return folder
