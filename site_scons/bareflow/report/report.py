"""One HTML page about what was built: sizes by library and function, what was removed, coverage, tiers.

    python -m bareflow.report.report build=FOLDER output=FILE nm=PROGRAM demangler=PROGRAM [coverage=FILE]
        [runs=FILE] [serial=FILE] [shared=FOLDER]

build= is the folder of an architecture, or of a program; each variant that is built there is shown. shared=
is the folder of what a program's kernels have in common with other programs'. runs= is how many of the
functions had run after each of the coverage's runs. serial= is a guest's serial log, for the tiers. The page
(report.html) needs no server and nothing from the network.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bareflow import program
from bareflow.coverage.coverage_file import CoveredFunction, read_coverage
from bareflow.errors import BareFlowError
from bareflow.events import parse_event
from bareflow.kernel.link_map import InputSection, read_map
from bareflow.kernel.symbols import readable
from bareflow.report.report_sizes import (
    DID_NOT_RUN,
    RAN,
    UNKNOWN,
    Library,
    libraries,
    losses,
    losses_by_library,
    parts_of,
)
from bareflow.trim.removed import Emptied, read_emptied

PAGE = Path(__file__).with_name("report.html")
PLACE = "/*DATA*/"
VARIANTS = ("full", "trimmed", "native")
SMALLEST = 64
"""Functions of fewer bytes are counted together: nobody would see them."""
LONGEST = 160
"""Characters of a name; C++ templates can have thousands."""
LARGEST = 40
"""How many of the functions that were removed are named."""
STATES = [UNKNOWN, RAN, DID_NOT_RUN]


class ReportError(BareFlowError):
    """There is nothing to report on."""


class Names:
    """Names for people, each once in the page: the variants have most functions in common."""

    def __init__(self, demangler: str) -> None:
        self._demangler = demangler
        self._readable: dict[str, str] = {}
        self._places: dict[str, int] = {}

    def learn(self, symbols: Iterable[str]) -> None:
        """Demangles them, all at once."""
        new = sorted(set(symbols) - set(self._readable))
        self._readable |= zip(new, readable(new, self._demangler), strict=True)

    def place(self, symbol: str) -> int:
        """Where the name is in the list."""
        name = self._readable.get(symbol, symbol)
        return self._places.setdefault(name[:LONGEST], len(self._places))

    def list(self) -> list[str]:
        """All names."""
        return list(self._places)


def _as_tree(found: Mapping[str, Library], names: Names) -> list[dict[str, object]]:
    """Libraries for the page, the largest first; functions as [place of the name, bytes, state]."""
    tree: list[dict[str, object]] = []
    for name, library in found.items():
        small: dict[str, list[int]] = defaultdict(list)
        shown: list[list[object]] = []
        for symbol, size, state in library.functions:
            if size < SMALLEST:
                small[state].append(size)
            else:
                shown.append([names.place(symbol), size, STATES.index(state)])
        for state, sizes in small.items():
            title = f"{len(sizes)} function{'s' if len(sizes) > 1 else ''} of less than {SMALLEST} bytes"
            shown.append([names.place(title), sum(sizes), STATES.index(state)])
        tree.append({"name": name, "bytes": library.bytes, "functions": shown})
    return sorted(tree, key=lambda entry: -sum(found[str(entry["name"])].bytes.values()))


def first_use(functions: Iterable[CoveredFunction], sizes: Mapping[tuple[str, str], int]) -> list[list[int]]:
    """Points of a curve: the number of functions that had run, and the bytes of their code."""
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


def runs(text: str) -> list[list[object]]:
    """Of the runs of a workload, in their order: [functions that had run by then, the run's name]."""
    lines = (line.split(maxsplit=1) for line in text.splitlines())
    return [[int(functions), name] for functions, name in lines]


def tiers(serial: str) -> list[dict[str, object]]:
    """The events about tiers in a guest's serial log."""
    events = map(parse_event, serial.splitlines())
    return [event for event in events if event and event["event"] == "tier"]


def _sections(folder: Path) -> list[InputSection]:
    with (folder / "bareflow.map").open() as lines:
        return list(read_map(lines))


def _variant(
    folder: Path,
    sections: list[InputSection],
    ran: Mapping[tuple[str, str], bool],
    parts: Mapping[str, str],
    names: Names,
) -> dict[str, object]:
    found = libraries(sections, ran, parts)
    names.learn(entry[0] for library in found.values() for entry in library.functions)
    size = json.loads((folder / "size.json").read_text())
    totals = {key: size[key] for key in ("kernel_file_bytes", "resident_bytes")}
    return {**totals, "libraries": _as_tree(found, names)}


def _removed(
    full: list[InputSection], trimmed: list[InputSection], emptied: list[Emptied], names: Names
) -> dict[str, object]:
    """By library, and the largest functions as [place of the name, library, bytes]."""
    found = losses(full, trimmed, emptied)
    largest = sorted((loss for loss in found if loss.lost), key=lambda loss: -loss.lost)[:LARGEST]
    names.learn(loss.symbol for loss in largest)
    return {
        "libraries": losses_by_library(found),
        "largest": [[names.place(loss.symbol), loss.library, loss.lost] for loss in largest],
    }


def data(build: Path, nm: str, demangler: str, files: Mapping[str, Path]) -> dict[str, object]:
    """All that the page shows. files: coverage, runs, serial and shared, as far as there are such."""
    folders = {name: build / name for name in VARIANTS if (build / name / "bareflow.map").is_file()}
    folders = {name: folder for name, folder in folders.items() if (folder / "size.json").is_file()}
    if not folders:
        raise ReportError(f"nothing is built in {build}: ./bareflow variant=trimmed builds full and trimmed")
    functions = (
        read_coverage(files["coverage"].read_text(), str(files["coverage"])) if "coverage" in files else []
    )
    ran: dict[tuple[str, str], bool] = {}
    for entry in functions:
        place = (entry.file, entry.section)
        ran[place] = entry.hit or ran.get(place, False)
    names = Names(demangler)
    sections = {name: _sections(folder) for name, folder in folders.items()}
    variants = {
        name: _variant(
            folder,
            sections[name],
            ran if name != "native" else {},
            parts_of(folder, nm, files.get("shared")),
            names,
        )
        for name, folder in folders.items()
    }
    result: dict[str, object] = {"variants": variants, "states": STATES, "removed": {}, "first_use": []}
    if "full" in sections:
        sizes = {(section.file, section.name): section.size for section in sections["full"]}
        result["first_use"] = first_use(functions, sizes)
        if "trimmed" in sections:
            emptied = read_emptied((folders["trimmed"] / "bareflow.emptied.jsonl").read_text())
            result["removed"] = _removed(sections["full"], sections["trimmed"], emptied, names)
    result["functions"] = len(functions)
    result["runs"] = runs(files["runs"].read_text()) if "runs" in files else []
    result["tiers"] = tiers(files["serial"].read_text(errors="replace")) if "serial" in files else []
    return result | {"names": names.list()}


def page(contents: Mapping[str, object]) -> str:
    """The HTML."""
    # In a script element, "</" could end it.
    text = json.dumps(contents, separators=(",", ":")).replace("</", "<\\/")
    return PAGE.read_text().replace(PLACE, text)


def main(arguments: Sequence[str]) -> int:
    """Runs as the arguments (key=value strings) say; returns the exit status."""
    given = dict(argument.split("=", 1) for argument in arguments)
    files = {key: Path(given[key]) for key in ("coverage", "runs", "serial", "shared") if given.get(key)}
    try:
        contents = data(Path(given["build"]), given["nm"], given["demangler"], files)
    except BareFlowError as error:
        print(f"bareflow: {error}", file=sys.stderr)
        return 1
    Path(given["output"]).write_text(page(contents))
    return 0


if __name__ == "__main__":
    sys.exit(program.call("bareflow", main, sys.argv[1:]))
