"""What a program's sources call that neither they nor the C library define."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from bareflow.engine.host_symbols import symbols
from bareflow.errors import BareFlowError

_LINKERS = {"_GLOBAL_OFFSET_TABLE_"}
"""What the tools list as undefined in every bitcode for 32 bits; no code of ours uses it."""


def check(nm: str, sources: Sequence[str], objects: Sequence[Path], library: Sequence[Path]) -> None:
    """sources: the names of those that the program's objects, bitcode, were made of. Raises BareFlowError."""
    found = [symbols(nm, file) for file in objects]
    own = frozenset[str]().union(*(each.defined for each in found))
    command = [nm, "--extern-only", "--defined-only", "--format=just-symbols", *map(str, library)]
    there = own.union(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    for source, each in zip(sources, found, strict=True):
        if missing := sorted(each.undefined - each.weak - there - _LINKERS):
            names = ", ".join(missing)
            raise BareFlowError(f"{source} needs {names}, which neither the program nor the C library has")
