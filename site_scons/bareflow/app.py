"""A program of the user's, which is built in place of tinyllama (app=DIR): its folder and its description."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bareflow.app_source import AppSource, AppSourceError, parse
from bareflow.errors import BareFlowError

DESCRIPTION = "app.toml"
BITCODE = ".bc"
LANGUAGES = {".c", ".cpp", ".cc", ".cxx"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_PATH = re.compile(r"(/[A-Za-z0-9_-]{1,8}(\.[A-Za-z0-9_-]{1,3})?)+")
_OURS = ("/boot/", "/profile/")
_LISTS = ("include", "defines", "flags")
_TEXTS = ("name", "optimisation", "stack", "args")
_MEMORY = "memory"
_MOST_MEMORY = 1 << 20
_USE = {"args": str, "input": str, "status": int, "levels": str}


class AppError(BareFlowError):
    """The folder, or its app.toml, is not one that a program can be built from."""


@dataclass(frozen=True)
class Use:
    """One run that shows what the program is used for."""

    args: str
    input: str = ""
    """Standard input."""
    status: int = 0
    """What it ends with."""
    levels: str = ""
    """The arguments with which bench holds it on each level; empty: `args`."""


@dataclass(frozen=True)
class App:
    """What app.toml says; without one, or a key of it, these are the values."""

    folder: Path
    name: str
    """Of the program, as its first argument has it, and of its build folder."""
    include: list[str] = field(default_factory=list)
    """Folders of headers, besides its own, below it."""
    defines: list[str] = field(default_factory=list)
    """NAME or NAME=VALUE."""
    flags: list[str] = field(default_factory=list)
    """Further options of the compiler."""
    optimisation: str = "-O2"
    """Of native; full compiles while it runs."""
    stack: str = "1M"
    """Bytes, in the linker script's notation."""
    args: str = ""
    """The arguments of main, if `run` gives no others."""
    files: dict[str, Path] = field(default_factory=dict)
    """Files for the disk: path there to file."""
    source: AppSource | None = None
    """The part of it that is in a Debian source package."""
    workload: list[Use] = field(default_factory=list)
    """What evolve, bench, coverage and variant=trimmed run; empty: once with `args`."""
    memory: int = 0
    """MiB that the machine has at least; 0: what the kernel and the disk's files take."""
    bitcode: Path | None = None
    """What another compiler has made of the program, in place of sources."""

    def uses(self) -> list[Use]:
        """The workload, of which there is at least one run."""
        return self.workload or [Use(self.args)]

    def sources(self) -> list[Path]:
        """All C and C++ files in the folder and below it, in a fixed order; or the file with bitcode. None of
        a source package is in it."""
        if self.bitcode:
            return [self.bitcode]
        found = sorted(path for path in self.folder.rglob("*") if path.suffix in LANGUAGES and path.is_file())
        if not found and not self.source:
            raise AppError(f"{self.folder} has no C or C++ file")
        return found


_USE_IS = "tables [[workload]] with texts args, input and levels, and a number status"


def _is_use(table: Any) -> bool:
    return isinstance(table, dict) and all(type(value) is _USE.get(key) for key, value in table.items())


def _check_types(said: dict[str, Any]) -> None:
    for key, value in said.items():
        if key in _LISTS:
            good, what = isinstance(value, list) and all(isinstance(x, str) for x in value), "a list of texts"
        elif key in _TEXTS:
            good, what = isinstance(value, str), "a text"
        elif key == _MEMORY:
            good, what = type(value) is int and 0 < value <= _MOST_MEMORY, "a number of MiB"
        elif key == "files":
            good = isinstance(value, dict) and all(isinstance(x, str) for x in value.values())
            what = "a table of texts"
        elif key == "source":
            good, what = isinstance(value, dict), "a table"
        elif key == "workload":
            good, what = isinstance(value, list) and all(map(_is_use, value)), _USE_IS
        else:
            known = ", ".join(sorted([*_LISTS, *_TEXTS, _MEMORY, "files", "source", "workload"]))
            raise AppError(f"there is no key '{key}'; there are {known}")
        if not good:
            raise AppError(f"{key} must be {what}")


def _files(folder: Path, said: dict[str, str]) -> dict[str, Path]:
    found = {}
    for path, name in said.items():
        if not _PATH.fullmatch(path) or path.lower().startswith(_OURS):
            what = "a path of 8.3 names that begins with '/', outside of /boot and /profile"
            raise AppError(f"files: {path!r} must be {what}")
        if not (folder / name).is_file():
            raise AppError(f"files: there is no file {folder / name}")
        found[path] = (folder / name).resolve()
    return found


def _load_bitcode(file: Path) -> App:
    if not _NAME.fullmatch(file.stem):
        raise AppError(f"the name '{file.stem}' must be letters, digits, '_', '.' and '-'")
    return App(folder=file.parent, name=file.stem, bitcode=file)


def load_app(folder: Path) -> App:
    """Reads the description of the program in a folder, or takes a file with bitcode; raises AppError, which
    says what is wrong."""
    if folder.suffix == BITCODE and folder.is_file():
        return _load_bitcode(folder)
    if not folder.is_dir():
        raise AppError(f"there is no folder {folder}")
    path = folder / DESCRIPTION
    try:
        said = tomllib.loads(path.read_text()) if path.exists() else {}
        _check_types(said)
        said["files"] = _files(folder, said.get("files", {}))
        if "source" in said:
            said["source"] = parse(said["source"])
        for name in said.get("include", []):
            if not (folder / name).is_dir():
                raise AppError(f"include: there is no folder {folder / name}")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, AppError, AppSourceError) as error:
        raise AppError(f"{path}: {error}") from None
    said.setdefault("name", folder.resolve().name)
    if not _NAME.fullmatch(said["name"]):
        raise AppError(f"{path}: name: '{said['name']}' must be letters, digits, '_', '.' and '-'")
    said["workload"] = [Use(**{"args": said.get("args", ""), **use}) for use in said.get("workload", [])]
    app = App(folder=folder, **said)
    app.sources()
    return app
