"""The part of a program that comes from a Debian source package: the table [source] of app.toml."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bareflow.errors import BareFlowError
from bareflow.source_package import Progress, Source, folder_of

_SHA256 = re.compile(r"[0-9a-f]{64}")
_RELATIVE = re.compile(r"(?!\.\.?(/|$))[^/]+(/(?!\.\.?(/|$))[^/]+)*")


class AppSourceError(BareFlowError):
    """The table is wrong, or what it describes cannot be made."""


@dataclass(frozen=True)
class AppSource:
    """What the table says."""

    package: Source
    compiled: list[str]
    """The files that are compiled, of the package or made by `make`."""
    make: str = ""
    """A command, for /bin/sh in the folder with the package's files, that makes further ones. $CC is the
    compiler for this machine."""
    tools: dict[str, str] = field(default_factory=dict)
    """The programs that it calls, and Debian's packages that have them."""


def _is_paths(value: object) -> bool:
    good = isinstance(value, list) and all(isinstance(x, str) and _RELATIVE.fullmatch(x) for x in value)
    return good and bool(value)


def _is_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(x, str) for x in value.values())


_KEYS: dict[str, tuple[Any, str]] = {
    "path": (lambda x: isinstance(x, str), "a text"),
    "sha256": (lambda x: isinstance(x, str) and _SHA256.fullmatch(x), "64 hexadecimal digits"),
    "parts": (_is_paths, "a list of paths in the package"),
    "compile": (_is_paths, "a list of paths in the package"),
    "make": (lambda x: isinstance(x, str), "a text"),
    "tools": (_is_texts, "a table of texts"),
}
_NEEDED = ("path", "sha256", "parts", "compile")


def parse(said: Mapping[str, Any]) -> AppSource:
    """Reads the table; raises AppSourceError, which says what is wrong."""
    for key, value in said.items():
        if key not in _KEYS:
            raise AppSourceError(f"source: there is no key '{key}'; there are {', '.join(sorted(_KEYS))}")
        good, what = _KEYS[key]
        if not good(value):
            raise AppSourceError(f"source: {key} must be {what}")
    for key in _NEEDED:
        if key not in said:
            raise AppSourceError(f"source: {key} is missing")
    package = Source(said["path"], said["sha256"], tuple(said["parts"]))
    return AppSource(package, said["compile"], said.get("make", ""), said.get("tools", {}))


def lay_out(name: str, source: AppSource, cache: Path, to: Path, compiler: str, progress: Progress) -> None:
    """Puts the package's files and what is made of them into the folder, in place of what is in it."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder_of(f"source-{name}", source.package, cache, progress), to)
    if source.make:
        command = ["/bin/sh", "-c", source.make]
        made = subprocess.run(
            command, cwd=to, env={**os.environ, "CC": compiler}, capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise AppSourceError(f"{source.make}: status {made.returncode}\n{made.stdout}{made.stderr}")
    for path in source.compiled:
        if not (to / path).is_file():
            raise AppSourceError(
                f"there is no {path} to compile in {source.package.path}, and make makes none"
            )
