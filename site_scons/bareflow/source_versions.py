"""Sources that are compiled several times: NAME.versions.toml beside NAME.c has a table for each version,
with the compiler's options and the architectures that it is for."""

import tomllib
from pathlib import Path


def options_by_suffix(source: Path, architecture: str) -> dict[str, tuple[str, ...]]:
    """The options of a source's versions, by the suffixes of their objects' names. A source without such a
    file has one version, without a suffix."""
    file = source.with_suffix(".versions.toml")
    if not file.exists():
        return {"": ()}
    return {
        f"_{name}": tuple(version["options"])
        for name, version in tomllib.loads(file.read_text()).items()
        if architecture in version["architectures"]
    }
