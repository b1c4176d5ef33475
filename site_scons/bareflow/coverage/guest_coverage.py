"""Reads the guest's /profile/COVERAGE.BIN, and finds the functions' names in the linked ELF and its map.

Layout of the file: kernel_lib/coverage/coverage_file.h.
"""

import io
import struct
import zlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from elftools.elf.elffile import ELFFile

from bareflow.coverage.coverage_file import CoverageError, CoveredFunction
from bareflow.coverage.translated import SHORTEST, CodeRange, TranslatedCode
from bareflow.disk.fat import FatError
from bareflow.disk.generations import read_generation
from bareflow.kernel.kernel_file import parse_header
from bareflow.kernel.link_map import InputSection, read_map
from bareflow.kernel.symbol_table import FUNCTION, symbol_table
from bareflow.kernel.symbols import functions

COVERAGE_PATH = "/profile/COVERAGE.BIN"
_SIGNATURE = b"BFCOVER1"
_HEADER = "<8s32s4I"
_CRC_SIZE = 4
_ARCHIVE_END = "("


@dataclass(frozen=True)
class Recording:
    """The contents of a COVERAGE.BIN."""

    build_id: str
    boots: int
    functions: int
    """The number of functions in the kernel's table of symbols."""
    order: tuple[int, ...]
    """The places in that table of the functions that have run, in the order of their first calls."""
    application: dict[str, bool]
    """The application's functions in bitcode, and whether they have run."""


def parse(data: bytes, name: str) -> Recording:
    """Reads the file's bytes; raises CoverageError, which calls it `name`."""
    head = struct.calcsize(_HEADER)
    if len(data) < head + _CRC_SIZE or not data.startswith(_SIGNATURE):
        raise CoverageError(f"{name} holds no {COVERAGE_PATH} that this version can read")
    if zlib.crc32(data[:-_CRC_SIZE]) != int.from_bytes(data[-_CRC_SIZE:], "little"):
        raise CoverageError(f"{COVERAGE_PATH} of {name} is damaged")
    _, build_id, boots, count, executed, names_size = struct.unpack_from(_HEADER, data)
    order_start = head + (count + 7) // 8
    names_start = order_start + 4 * executed
    if names_start + names_size + _CRC_SIZE != len(data):
        raise CoverageError(f"{COVERAGE_PATH} of {name} has other parts than its head says")
    order = struct.unpack_from(f"<{executed}I", data, order_start)
    bits = data[head:order_start]
    if {i for i in range(count) if bits[i // 8] >> i % 8 & 1} != set(order):
        raise CoverageError(f"{COVERAGE_PATH} of {name} contradicts itself: its bits are not its order")
    lines = data[names_start:-_CRC_SIZE].decode().splitlines()
    application = {line[1:]: line[0] == "+" for line in lines}
    return Recording(build_id.decode("ascii", "replace"), boots, count, order, application)


def read_recording(image: Path) -> Recording:
    """What the guest left in a disk image."""
    try:
        data = read_generation(image, COVERAGE_PATH)
    except FatError as error:
        raise CoverageError(f"{image}: {error}") from None
    if not data:
        raise CoverageError(
            f"{image} has no whole {COVERAGE_PATH}; did its guest run with coverage = on, to its end?"
        )
    return parse(data, str(image))


def code_of(file: ELFFile) -> CodeRange:
    """Where an ELF's code is."""
    (text,) = (section for section in file.iter_sections() if section.name == ".text")
    return CodeRange(text["sh_addr"], text["sh_size"])


class LinkedProgram:
    """A kernel's functions by their places in its table, with the names that the trim knows them by."""

    def __init__(self, elf: bytes, link_map: Iterable[str], build_id: str) -> None:
        self.build_id = build_id
        self._table = functions(elf)
        self._sections = [section for section in read_map(link_map) if section.size]
        self._starts = [section.address for section in self._sections]
        self._names: dict[int, list[tuple[str, int]]] = defaultdict(list)
        file = ELFFile(io.BytesIO(elf))
        for symbol in symbol_table(file):
            if symbol.type == FUNCTION and symbol.size:
                self._names[symbol.value].append((symbol.name, symbol.size))
        self.code = code_of(file)
        """The code that the plugin watches."""

    @property
    def table_size(self) -> int:
        """Functions in the kernel's table of symbols."""
        return len(self._table)

    def _section(self, address: int) -> InputSection | None:
        index = bisect_right(self._starts, address) - 1
        if index < 0 or address >= self._starts[index] + self._sections[index].size:
            return None
        return self._sections[index]

    def _functions(self, objects: Collection[str]) -> Iterator[tuple[InputSection, int, str, int]]:
        """Section, address, symbol and size of the functions of these objects."""
        for address, symbols in self._names.items():
            section = self._section(address)
            if section is not None and section.file in objects:
                for symbol, size in symbols:
                    yield section, address, symbol, size

    def code_of(self, objects: Collection[str]) -> list[tuple[int, int]]:
        """Where the functions of these objects begin and end, from the code's beginning."""
        start = self.code.start
        return sorted({(at - start, at - start + size) for _, at, _, size in self._functions(objects)})

    def entered(self, executed: TranslatedCode) -> set[str]:
        """The functions whose first byte ran."""
        return {
            symbol
            for address, symbols in self._names.items()
            if executed.ran(address)
            for symbol, _ in symbols
        }

    def symbol(self, place: int) -> str:
        """The function at a place of the kernel's table."""
        return self._table[place].name

    def executed(self, executed: TranslatedCode, objects: Mapping[str, int]) -> list[CoveredFunction]:
        """Every function of these objects (name to CRC-32), whether it ran, and which bytes of it did not."""
        found = []
        for section, address, symbol, size in self._functions(objects):
            unused = executed.unused(address, size)
            if unused == ((0, size),) or (not executed.ran(address) and size < SHORTEST):
                found.append(CoveredFunction(section.file, section.name, symbol, False))
            else:
                crc = objects[section.file]
                found.append(
                    CoveredFunction(section.file, section.name, symbol, True, unused=unused, object_crc=crc)
                )
        return found

    def covered(
        self,
        recording: Recording,
        name: str,
        translated: TranslatedCode | None = None,
        objects: Mapping[str, int] = MappingProxyType({}),
    ) -> list[CoveredFunction]:
        """Every function that has a breakpoint, and whether it ran. With `translated`, of the same boots,
        also which bytes of it did not run, if its object is in `objects` (name to CRC-32).

        Raises CoverageError if the recording is of another build; `name` names it in the message.
        """
        if recording.build_id != self.build_id:
            raise CoverageError(
                f"the coverage of {name} is of build {recording.build_id}, but this is {self.build_id}: "
                "its bits would name the wrong functions; run the coverage again with this image"
            )
        if recording.functions != len(self._table):
            raise CoverageError(
                f"the coverage of {name} has {recording.functions} functions, the kernel {len(self._table)}"
            )
        rank = {place: number for number, place in enumerate(recording.order, 1)}
        found = []
        for place, function in enumerate(self._table):
            section = self._section(function.address) if function.sized else None
            if section is None:
                continue
            ran = rank.get(place, 0)
            for symbol, size in self._names[function.address]:
                covered = CoveredFunction(section.file, section.name, symbol, ran > 0, ran)
                if ran and translated and section.file in objects:
                    unused = translated.unused(function.address, size)
                    covered = replace(covered, unused=unused, object_crc=objects[section.file])
                found.append(covered)
        return found


def linked_program(elf: Path, link_map: Path, kernel: Path) -> LinkedProgram:
    """The program that the guest of a kernel file runs."""
    with link_map.open() as lines:
        return LinkedProgram(elf.read_bytes(), lines, parse_header(kernel.read_bytes()).build_id.hex())


def library(file: str) -> str:
    """The archive of an object, or the object itself."""
    return file.split(_ARCHIVE_END)[0].rpartition("/")[2]


def summary(covered: Sequence[CoveredFunction], application: dict[str, bool]) -> str:
    """A table: how many functions of each library ran, the largest library first."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for function in covered:
        count = counts[library(function.file)]
        count[0] += function.hit
        count[1] += 1
    rows = sorted(counts.items(), key=lambda row: (-row[1][1], row[0]))
    if application:
        rows.append(("application (bitcode)", [sum(application.values()), len(application)]))
    rows.append(("all", [sum(row[1][0] for row in rows), sum(row[1][1] for row in rows)]))
    width = max(len(name) for name, _ in rows)
    lines = [f"{'':{width}} {'ran':>8} {'of':>8}"]
    for name, (ran, of) in rows:
        lines.append(f"{name:{width}} {ran:8} {of:8} {100 * ran / of if of else 0:6.1f} %")
    return "\n".join(lines) + "\n"


def merge_application(recordings: Iterable[Recording]) -> dict[str, bool]:
    """The application's functions of several recordings. One ran if it ran in any of them."""
    merged: dict[str, bool] = {}
    for recording in recordings:
        for name, ran in recording.application.items():
            merged[name] = merged.get(name, False) or ran
    return merged
