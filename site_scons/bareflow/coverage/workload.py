"""The workload file: the runs of the full image that show which of its functions are needed."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bareflow.errors import BareFlowError
from bareflow.models.synthetic_model import KINDS

PLATFORMS = ("bare", "linux")


class WorkloadError(BareFlowError):
    """The workload file is wrong."""


@dataclass(frozen=True)
class Run:
    """One boot of the image. The head of variants/workload.toml says what the members mean."""

    name: str
    config: Mapping[str, object]
    input: str = ""
    files: Mapping[str, Path] = field(default_factory=dict)
    code: int = 0
    memory: int | None = None
    drive: str = "ide"
    machine: str = "pc"
    model: str = ""
    alone: bool = False
    cpu: str = ""
    platform: str = "bare"
    layouts: bool = False
    levels: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Workload:
    """All runs, in order."""

    timeout: float
    runs: list[Run]


_TYPES: dict[str, type] = {
    "name": str, "config": dict, "input": str, "files": dict, "code": int, "memory": int, "drive": str,
    "machine": str, "model": str, "alone": bool, "cpu": str, "platform": str,
    "layouts": bool, "levels": dict,
}  # fmt: skip


def _run(number: int, table: dict[str, Any], folder: Path) -> Run:
    what = f"run {number}" + (f" ({table['name']})" if "name" in table else "")
    for key, value in table.items():
        if key not in _TYPES:
            raise WorkloadError(f"{what}: there is no key '{key}'; there are {', '.join(_TYPES)}")
        if type(value) is not _TYPES[key]:
            raise WorkloadError(f"{what}: {key} must be of type {_TYPES[key].__name__}")
    missing = [key for key in ("name", "config") if key not in table]
    if missing:
        raise WorkloadError(f"{what}: {' and '.join(missing)} must be given")
    files = {path: folder / str(name) for path, name in table.get("files", {}).items()}
    for path in files.values():
        if not path.is_file():
            raise WorkloadError(f"{what}: there is no file {path}")
    if table.get("model", "") not in ("", *KINDS):
        raise WorkloadError(f"{what}: model must be one of {', '.join(KINDS)}")
    if table.get("platform", "bare") not in PLATFORMS:
        raise WorkloadError(f"{what}: platform must be one of {', '.join(PLATFORMS)}")
    return Run(**{**table, "files": files})


def load_workload(path: Path) -> Workload:
    """Reads and checks the file; raises WorkloadError, which names it."""
    try:
        contents = tomllib.loads(path.read_text())
        unknown = set(contents) - {"timeout", "memory", "run"}
        if unknown:
            raise WorkloadError(f"there is no key '{min(unknown)}'; there are timeout, memory and [[run]]")
        tables = contents.get("run", [])
        if not tables:
            raise WorkloadError("there is no [[run]] in it")
        folder = path.resolve().parent.parent
        defaults = {"memory": contents["memory"]} if "memory" in contents else {}
        runs = [_run(number, {**defaults, **table}, folder) for number, table in enumerate(tables, 1)]
        return Workload(float(contents.get("timeout", 600)), runs)
    except (tomllib.TOMLDecodeError, WorkloadError) as error:
        raise WorkloadError(f"{path}: {error}") from None
