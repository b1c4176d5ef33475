"""One HTML page about what was built: sizes by library and function, what was removed, coverage, tiers.

    python -m bareflow.report build=FOLDER output=FILE nm=PROGRAM demangler=PROGRAM [coverage=FILE]
        [serial=FILE]

build= is the folder of an architecture; each variant that is built there is shown. serial= is a guest's
serial log, for the tiers. The page (report.html) needs no server and nothing from the network.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .coverage_file import CoveredFunction, read_coverage
from .errors import BareFlowError
from .link_map import InputSection, read_map
from .removed import Removed, read_removed
from .size_report import SECTION_KINDS, defined_symbols
from .symbols import readable

PAGE = Path(__file__).with_name("report.html")
PLACE = "/*DATA*/"
VARIANTS = ("full", "trimmed", "native")
EVENT = "@bareflow "
SMALLEST = 64
"""Functions of fewer bytes are counted together: nobody would see them."""
UNKNOWN, RAN, DID_NOT_RUN = "unknown", "ran", "did not run"


class ReportError(BareFlowError):
    """There is nothing to report on."""


@dataclass
class Library:
    """What a link took of a library, or of an object of ours."""

    bytes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("text", "rodata", "data", "bss"), 0))
    functions: list[tuple[str, int, str]] = field(default_factory=list)
    """Symbol, bytes, and whether it ran."""


def library_of(section: InputSection, parts: Mapping[str, str]) -> str:
    """The archive, or for our own code the part (by the section's function, where LTO has mixed them)."""
    if section.file.endswith(")"):
        return section.file.partition("(")[0]
    if section.name.startswith(".symbols"):
        return "names of functions"
    if section.file == "<internal>":
        return "strings of all libraries"
    if "embedded/" in section.file:
        return "application as bitcode"
    if "/jit/llvm/" in section.file:
        return "engine"
    return parts.get(section.name.partition(".text.")[2], "kernel")


def libraries(
    sections: Iterable[InputSection], ran: Mapping[tuple[str, str], bool], parts: Mapping[str, str]
) -> dict[str, Library]:
    """What a map's sections come from. `ran`: whether a section's function ran, by file and section."""
    found: dict[str, Library] = defaultdict(Library)
    for section in sections:
        kind = SECTION_KINDS.get(section.output, "rodata" if section.output.startswith((".", "_")) else "")
        if (
            not section.size
            or not kind
            or section.output.startswith((".debug", ".symtab", ".strtab", ".shstr"))
        ):
            continue
        library = found[library_of(section, parts)]
        library.bytes[kind] += section.size
        if kind == "text":
            hit = ran.get((section.file, section.name))
            state = UNKNOWN if hit is None else RAN if hit else DID_NOT_RUN
            name = section.symbols[0].name if section.symbols else section.name
            library.functions.append((name, section.size, state))
    return dict(found)


def _parts(folder: Path, nm: str) -> dict[str, str]:
    """The parts of our own bitcode by function. A trimmed kernel has none of its own, but full's."""
    owner: dict[str, str] = {}
    folder = folder if (folder / "obj" / "kernel_lib").is_dir() else folder.with_name(VARIANTS[0])
    for part, place in (("libc", "llvm-libc"), ("kernel_lib", "kernel_lib"), ("app", "tinyllama")):
        objects = sorted((folder / "obj" / place).rglob("*.bc"))
        if objects:
            owner |= dict.fromkeys(defined_symbols(nm, objects), part)
    return owner


def _as_tree(found: Mapping[str, Library], names: Mapping[str, str]) -> list[dict[str, object]]:
    """Libraries for the page, the largest first; functions as [name, bytes, state]."""
    tree: list[dict[str, object]] = []
    for name, library in found.items():
        small: dict[str, list[int]] = defaultdict(list)
        shown: list[list[object]] = []
        for symbol, size, state in library.functions:
            if size < SMALLEST:
                small[state].append(size)
            else:
                shown.append([names.get(symbol, symbol), size, state])
        shown += [[f"{len(sizes)} small functions", sum(sizes), state] for state, sizes in small.items()]
        tree.append({"name": name, "bytes": library.bytes, "functions": shown})
    return sorted(tree, key=lambda entry: -sum(found[str(entry["name"])].bytes.values()))


def removed_by_library(removed: Iterable[Removed], full: Iterable[InputSection]) -> dict[str, dict[str, int]]:
    """Functions and bytes in the full link, and how many of them are gone or stubs."""
    gone = {(entry.file, entry.section) for entry in removed}
    table: dict[str, dict[str, int]] = defaultdict(
        lambda: dict.fromkeys(("functions", "bytes", "removed_functions", "removed_bytes"), 0)
    )
    for section in full:
        if section.output != ".text" or not section.file.endswith(")"):
            continue
        row = table[library_of(section, {})]
        row["functions"] += 1
        row["bytes"] += section.size
        if (section.file, section.name) in gone:
            row["removed_functions"] += 1
            row["removed_bytes"] += section.size
    return dict(table)


def first_use(functions: Iterable[CoveredFunction], sizes: Mapping[tuple[str, str], int]) -> list[list[int]]:
    """Points of the curve of code that had run after so many functions: [functions, bytes]."""
    ranked = sorted((entry for entry in functions if entry.rank), key=lambda entry: entry.rank)
    points, total, seen = [[0, 0]], 0, set()
    for number, entry in enumerate(ranked, 1):
        place = (entry.file, entry.section)
        if place not in seen:
            seen.add(place)
            total += sizes.get(place, 0)
        if number % 100 == 0 or number == len(ranked):
            points.append([number, total])
    return points


def tiers(serial: str) -> list[dict[str, object]]:
    """The events about tiers in a guest's serial log."""
    lines = (line[len(EVENT) :] for line in serial.splitlines() if line.startswith(EVENT))
    events = (json.loads(line) for line in lines)
    return [event for event in events if event["event"] == "tier"]


def _variant(
    folder: Path, functions: Sequence[CoveredFunction], nm: str, demangler: str
) -> tuple[dict[str, object], list[InputSection]]:
    with (folder / "bareflow.map").open() as lines:
        sections = list(read_map(lines))
    ran: dict[tuple[str, str], bool] = {}
    for entry in functions:
        place = (entry.file, entry.section)
        ran[place] = entry.hit or ran.get(place, False)
    found = libraries(sections, ran, _parts(folder, nm))
    symbols = sorted({entry[0] for library in found.values() for entry in library.functions})
    names = dict(zip(symbols, readable(symbols, demangler), strict=True))
    size = json.loads((folder / "size.json").read_text())
    totals = {key: size[key] for key in ("kernel_file_bytes", "resident_bytes")}
    return {**totals, "libraries": _as_tree(found, names)}, sections


def data(
    build: Path, nm: str, demangler: str, coverage: Path | None, serial: Path | None
) -> dict[str, object]:
    """All that the page shows."""
    functions = read_coverage(coverage.read_text(), str(coverage)) if coverage else []
    result: dict[str, object] = {"variants": {}, "removed": {}, "first_use": [], "tiers": []}
    variants: dict[str, object] = {}
    for name in VARIANTS:
        folder = build / name
        if not (folder / "bareflow.map").is_file() or not (folder / "size.json").is_file():
            continue
        variants[name], sections = _variant(folder, functions if name != "native" else [], nm, demangler)
        table = build / "trimmed" / "bareflow.removed.jsonl"
        if name == "full":
            sizes = {(section.file, section.name): section.size for section in sections}
            result["first_use"] = first_use(functions, sizes)
            if table.is_file():
                result["removed"] = removed_by_library(read_removed(table.read_text()), sections)
    if not variants:
        raise ReportError(f"nothing is built in {build}: ./bareflow variant=trimmed builds full and trimmed")
    result["variants"] = variants
    if serial:
        result["tiers"] = tiers(serial.read_text(errors="replace"))
    return result


def page(contents: Mapping[str, object]) -> str:
    """The HTML."""
    # In a script element, "</" could end it.
    text = json.dumps(contents, separators=(",", ":")).replace("</", "<\\/")
    return PAGE.read_text().replace(PLACE, text)


def main(arguments: Sequence[str]) -> int:
    """Runs as the arguments (key=value strings) say; returns the exit status."""
    given = dict(argument.split("=", 1) for argument in arguments)
    files = {key: Path(given[key]) if given.get(key) else None for key in ("coverage", "serial")}
    try:
        contents = data(
            Path(given["build"]), given["nm"], given["demangler"], files["coverage"], files["serial"]
        )
    except BareFlowError as error:
        print(f"bareflow: {error}", file=sys.stderr)
        return 1
    Path(given["output"]).write_text(page(contents))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
