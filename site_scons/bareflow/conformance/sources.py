"""Which source packages the programs of others come from."""

import tomllib
from pathlib import Path

from bareflow.source_package import Source


def read_sources(file: Path, llvm_libc: Path) -> dict[str, Source]:
    """Reads sources.toml; llvm_libc: the source.toml that pins LLVM's package."""
    said = tomllib.loads(file.read_text())
    package = tomllib.loads(llvm_libc.read_text())["debian"]
    made = {}
    for name, entry in said.items():
        pinned = entry if "path" in entry else package
        made[name] = Source(pinned["path"], pinned["sha256"], tuple(entry["folders"]), entry.get("inner", ""))
    return made
