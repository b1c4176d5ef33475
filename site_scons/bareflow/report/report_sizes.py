"""Where a kernel's bytes come from, by its link map, and what of another link is not in it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bareflow.kernel.link_map import InputSection
from bareflow.report.size_report import SECTION_KINDS, defined_symbols
from bareflow.trim.removed import Emptied

UNKNOWN, RAN, DID_NOT_RUN = "unknown", "ran", "did not run"


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
    if "/jit/engine/" in section.file:
        return "engine"
    return parts.get(section.name.partition(".text.")[2], "kernel")


def function_of(section: InputSection) -> str:
    """The function's symbol; a section that was not made for one function alone is called by its object."""
    if section.name == ".text" and len(section.symbols) > 1:
        return f"{len(section.symbols)} functions of {section.file}"
    return section.symbols[0].name if section.symbols else section.name


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
            library.functions.append((function_of(section), section.size, state))
    return dict(found)


def parts_of(folder: Path, nm: str, shared: Path | None = None) -> dict[str, str]:
    """The parts of our own bitcode by function. A trimmed kernel has none of its own, but full's. shared: the
    folder of what several programs' kernels have in common, by variant."""
    owner: dict[str, str] = {}
    folder = folder if (folder / "obj").is_dir() else folder.with_name("full")
    common = shared / folder.name if shared else folder
    places = [("libc", common, ["llvm-libc"]), ("kernel_lib", common, ["kernel_lib"])]
    places.append(("app", folder, ["app", "source"] if shared else ["tinyllama"]))
    for part, place, names in places:
        objects = sorted(path for name in names for path in (place / "obj" / name).rglob("*.bc"))
        if objects:
            owner |= dict.fromkeys(defined_symbols(nm, objects), part)
    return owner


@dataclass(frozen=True)
class Loss:
    """A function that another link has less of, or not at all."""

    library: str
    symbol: str
    size: int
    lost: int
    emptied: int
    """Bytes that are there, but INT3."""


def losses(
    full: Iterable[InputSection], trimmed: Iterable[InputSection], emptied: Iterable[Emptied]
) -> list[Loss]:
    """Every function of the libraries in the full link, with the bytes that the other has less of it, and
    those of its parts that are `emptied`."""
    left: Counter[tuple[str, str]] = Counter()
    for section in trimmed:
        left[section.file, section.name] += section.size
    parts = {(entry.file, entry.section): sum(end - begin for begin, end in entry.parts) for entry in emptied}
    return [
        Loss(
            library_of(section, {}),
            function_of(section),
            section.size,
            max(section.size - left[section.file, section.name], 0),
            parts.get((section.file, section.name), 0) if left[section.file, section.name] else 0,
        )
        for section in full
        if section.output == ".text" and section.file.endswith(")") and section.size
    ]


def losses_by_library(found: Iterable[Loss]) -> dict[str, dict[str, int]]:
    """Functions and bytes in the full link, how many of them are gone or stubs, and how many bytes INT3."""
    fields = ("functions", "bytes", "removed_functions", "removed_bytes", "emptied_bytes")
    table: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(fields, 0))
    for loss in found:
        row = table[loss.library]
        row["functions"] += 1
        row["bytes"] += loss.size
        row["removed_functions"] += loss.lost > 0
        row["removed_bytes"] += loss.lost
        row["emptied_bytes"] += loss.emptied
    return dict(table)
