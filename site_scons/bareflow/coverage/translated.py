"""Which bytes of a program's code have run. QEMU's plugin (qemu_plugin/translated.c) writes it of a kernel,
the tracer (tracer/executed.c) of a Linux program."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bareflow.errors import BareFlowError
from bareflow.layouts import read_header

SHORTEST = read_header("kernel_lib/removed/trap_stub.h")["REMOVED_PART_SIZE"]
"""Shorter stretches that never ran are not removed."""

Stretches = tuple[tuple[int, int], ...]
"""Parts of a function, in ascending order: offsets in bytes of the first byte and of the first one behind."""

_BITS = 8
_BYTES_OF_BITS = [bytes(value >> bit & 1 for bit in range(_BITS)) for value in range(256)]
_UNUSED = re.compile(rb"\0{%d,}" % SHORTEST)


class TranslatedError(BareFlowError):
    """Plugin or tracer have not written what they should."""


@dataclass(frozen=True)
class CodeRange:
    """Where a kernel's code is."""

    start: int
    size: int


@dataclass(frozen=True)
class Plugin:
    """The plugin, for guests that boot one kernel."""

    path: Path
    code: CodeRange

    def arguments(self, output: Path) -> list[str]:
        """The arguments that make QEMU write, when it ends, which code it has translated."""
        code = self.code
        values = (f"file={self.path}", f"start={code.start:#x}", f"size={code.size}", f"out={output}")
        return ["-plugin", ",".join(value.replace(",", ",,") for value in values)]

    def read(self, output: Path) -> int:
        """What QEMU has written: one bit for each byte of code, the lowest bit for the first byte."""
        if not output.exists():
            raise TranslatedError(f"QEMU has not written which code it translated ({output})")
        return read_bits(output, self.code)


def read_bits(path: Path, code: CodeRange) -> int:
    """A file with one bit for each byte of code, the lowest bit for the first byte."""
    bits = path.read_bytes()
    if len(bits) != _in_bytes(code.size):
        raise TranslatedError(f"{path} is {len(bits)} bytes for {code.size} bytes of code")
    return int.from_bytes(bits, "little")


def _in_bytes(bits: int) -> int:
    return (bits + _BITS - 1) // _BITS


class TranslatedCode:
    """The code that ran in at least one of several runs."""

    def __init__(self, code: CodeRange, runs: Iterable[int]) -> None:
        """`runs`: as Plugin.read gives them."""
        merged = 0
        for run in runs:
            merged |= run
        bits = merged.to_bytes(_in_bytes(code.size), "little")
        self._start = code.start
        self._ran = b"".join(map(_BYTES_OF_BITS.__getitem__, bits))[: code.size]

    def ran(self, address: int) -> bool:
        """Whether the byte at `address` ran."""
        at = address - self._start
        return 0 <= at < len(self._ran) and self._ran[at] == 1

    def unused(self, address: int, size: int) -> Stretches:
        """The stretches of the `size` bytes at `address` that never ran, from SHORTEST bytes on."""
        at = address - self._start
        end = at + size
        if at < 0 or end > len(self._ran):
            return ()
        return tuple((match.start() - at, match.end() - at) for match in _UNUSED.finditer(self._ran, at, end))


def common(first: Stretches, second: Stretches) -> Stretches:
    """The bytes that are in both."""
    found = []
    i = j = 0
    while i < len(first) and j < len(second):
        begin, end = max(first[i][0], second[j][0]), min(first[i][1], second[j][1])
        if begin < end:
            found.append((begin, end))
        if first[i][1] < second[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)
