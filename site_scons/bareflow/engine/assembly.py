"""Inline assembly in bitcode. The JIT has no assembler, whose tables are large: only empty assembly, which
keeps the optimiser from seeing a value, can be compiled."""

import re
import subprocess
from pathlib import Path

from bareflow.errors import BareFlowError

_ASSEMBLY = re.compile(r'^module asm "(.+)"|\basm (?:[a-z]+ )*"([^"]+)"', re.MULTILINE)


class AssemblyError(BareFlowError):
    """Bitcode has assembly in it."""


def assembly_in(text: str) -> set[str]:
    """The assembly, as it is written, in a module's text; empty one does not count."""
    return {module or inline for module, inline in _ASSEMBLY.findall(text)}


def check_no_assembly(opt: str, bitcode: Path) -> None:
    """Raises AssemblyError if the JIT could not compile a module."""
    command = [opt, "-S", "-passes=", str(bitcode), "-o", "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if found := assembly_in(text):
        raise AssemblyError(
            f"{bitcode.name} has inline assembly, which the JIT cannot compile: {', '.join(sorted(found))}"
        )
