"""Coverage of libraries without a name in it, to be committed: variants/coverage.txt.zst.

    # bareflow packed coverage 1
    libLLVMCore.a 4711000

    libLLVMCore.a(Value.cpp.o) 1a2b3c4d +-.+
    3 10+1c 14+18

First comes every archive with its size in bytes, then every object that was linked, with its CRC-32 and a
mark for each function symbol that it defines, in the order of its symbol table: `+` ran, `-` did not run,
`.` nothing is known. Then, a line each, those functions of which parts never ran: the function's place, and
for each part in hexadecimal how many bytes after the end of the part before it begins, and how long it is.

Functions that other objects can see are marked alike in all objects: which copy was linked may change. What
is no archive's (the application, kernel_lib, the engine) is not in it, because it changes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import zstandard

from bareflow.coverage.coverage_file import CoverageError, CoveredFunction
from bareflow.coverage.translated import Stretches
from bareflow.kernel.archive import members
from bareflow.kernel.link_map import file_name
from bareflow.kernel.object_functions import ObjectFunction, object_functions

HEAD = "# bareflow packed coverage 1"
_RAN, _DID_NOT, _UNKNOWN = "+-."
_LEVEL = 19


class StaleCoverageError(CoverageError):
    """The coverage is of other archives."""


@dataclass(frozen=True)
class _Object:
    crc: int
    functions: list[ObjectFunction]


def _objects(archives: Iterable[Path], wanted: set[str]) -> Iterator[tuple[str, _Object]]:
    """The objects in archives that are wanted, by the names that link maps give them."""
    for path in archives:
        archive = path.read_bytes()
        for member in members(archive):
            file = file_name(f"{path}({member.name})")
            if file in wanted:
                data = archive[member.offset : member.offset + member.size]
                yield file, _Object(crc32(data), object_functions(data))


def pack(coverage: Iterable[CoveredFunction], archives: Iterable[Path]) -> bytes:
    """Packs what is known about the functions of these archives."""
    archives = sorted(archives, key=lambda path: path.name)
    by_place: dict[str, dict[tuple[str, str], CoveredFunction]] = defaultdict(dict)
    ran: dict[str, bool] = {}
    for function in coverage:
        by_place[function.file][function.section, function.symbol] = function
        ran[function.symbol] = ran.get(function.symbol, False) or function.hit
    lines = [HEAD, *(f"{path.name} {path.stat().st_size}" for path in archives), ""]
    for file, found in sorted(_objects(archives, set(by_place))):
        lines += _packed_object(file, found, by_place[file], ran)
    text = "\n".join(lines) + "\n"
    return zstandard.ZstdCompressor(level=_LEVEL).compress(text.encode())


def _packed_object(
    file: str,
    found: _Object,
    known: Mapping[tuple[str, str], CoveredFunction],
    ran: Mapping[str, bool],
) -> list[str]:
    marks, parts = "", []
    for place, function in enumerate(found.functions):
        own = known.get((function.section, function.symbol))
        hit = ran.get(function.symbol)
        if function.is_local:
            hit = own.hit if own else None
        marks += _UNKNOWN if hit is None else _RAN if hit else _DID_NOT
        if own and own.unused and own.object_crc == found.crc:
            parts.append(f"{place}{_gaps(own.unused)}")
    return [f"{file} {found.crc:08x} {marks}", *parts] if marks.strip(_UNKNOWN) else []


def _gaps(stretches: Stretches) -> str:
    text, at = "", 0
    for begin, end in stretches:
        text += f" {begin - at:x}+{end - begin:x}"
        at = end
    return text


def _stretches(words: Iterable[str]) -> Iterator[tuple[int, int]]:
    at = 0
    for word in words:
        gap, length = (int(number, 16) for number in word.split("+"))
        yield at + gap, at + gap + length
        at += gap + length


@dataclass(frozen=True)
class _Packed:
    crc: int
    marks: str
    parts: dict[int, Stretches]


def _parts(data: bytes, name: str) -> tuple[dict[str, int], list[str]]:
    """The archives' sizes by their names, and the lines about objects. Raises CoverageError."""
    try:
        head, _, rest = zstandard.ZstdDecompressor().decompress(data).decode().partition("\n\n")
        first, *archives = head.split("\n")
        if first != HEAD:
            raise ValueError
        return {name: int(size) for name, size in map(str.split, archives)}, rest.splitlines()
    except (zstandard.ZstdError, ValueError):
        raise CoverageError(f"{name} is no packed coverage of this version") from None


def archive_sizes(data: bytes, name: str) -> dict[str, int]:
    """The sizes in bytes of the archives that a file of pack() is about. Raises CoverageError, which calls
    the file `name`."""
    return _parts(data, name)[0]


class PackedCoverage:
    """A file that pack() made."""

    def __init__(self, data: bytes, name: str) -> None:
        """Raises CoverageError, which calls it `name`."""
        self._name = name
        _, lines = _parts(data, name)
        try:
            self._objects = _read_objects(lines)
        except ValueError:
            raise CoverageError(f"{name} is damaged") from None

    def unpacked(self, archives: Iterable[Path]) -> list[CoveredFunction]:
        """What it says about functions of these archives; raises StaleCoverageError if they are others."""
        covered: list[CoveredFunction] = []
        missing = set(self._objects)
        for file, found in _objects(archives, set(self._objects)):
            packed = self._objects[file]
            if packed.crc != found.crc or len(packed.marks) != len(found.functions):
                raise StaleCoverageError(f"{self._name} is the coverage of another {file}")
            missing.discard(file)
            covered += _covered(file, found, packed)
        if missing:
            raise StaleCoverageError(f"{self._name} is the coverage of archives with {min(missing)}")
        return sorted(covered)


def _covered(file: str, found: _Object, packed: _Packed) -> Iterator[CoveredFunction]:
    for place, (function, mark) in enumerate(zip(found.functions, packed.marks, strict=True)):
        if mark == _UNKNOWN:
            continue
        unused = packed.parts.get(place, ())
        yield CoveredFunction(
            file,
            function.section,
            function.symbol,
            mark == _RAN,
            unused=unused,
            object_crc=packed.crc if unused else 0,
        )


def _read_objects(lines: Iterable[str]) -> dict[str, _Packed]:
    objects: dict[str, _Packed] = {}
    packed = _Packed(0, "", {})
    for line in lines:
        first, *words = line.split(" ")
        if first.isdigit():
            packed.parts[int(first)] = tuple(_stretches(words))
        else:
            crc, marks = words
            packed = objects[first] = _Packed(int(crc, 16), marks, {})
    return objects
