"""Functions that a trimmed guest missed: it called their trap stubs, and wrote the names to
/profile/MISSES.TXT.

If only a part of a function was removed, or if full has trimmed itself, the name is the one that a backtrace
has.

One miss hides the next ones, because the compilation is given up. So if the untrimmed image has run on that
disk too, the functions that it ran there count as missed.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from bareflow.coverage.coverage_file import CoveredFunction
from bareflow.coverage.guest_coverage import COVERAGE_PATH, LinkedProgram, parse
from bareflow.disk.fat import SECTOR, FatError
from bareflow.disk.generations import newest, read_generation
from bareflow.errors import BareFlowError
from bareflow.kernel import symbols

MISSES_PATH = "/profile/MISSES.TXT"
_BOOT_SIGNATURE = b"\x55\xaa"


class MissesError(BareFlowError):
    """A file is neither a disk image nor a list of names."""


def _is_image(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(SECTOR).endswith(_BOOT_SIGNATURE) and file.read(1) != b""


def _names_in(path: Path) -> list[str]:
    try:
        data = read_generation(path, MISSES_PATH) if _is_image(path) else newest([path.read_bytes()])
        text = data.decode("ascii")
    except FatError as error:
        raise MissesError(f"misses=: {path}: {error}") from None
    except UnicodeDecodeError:
        raise MissesError(f"misses=: {path} is neither a disk image nor a list of function names") from None
    return [name for line in text.splitlines() if (name := line.strip())]


def missed_functions(files: Iterable[Path]) -> list[str]:
    """The names in disk images (their guest's list) and in text files (one a line), sorted, each once."""
    return sorted({name for path in files for name in _names_in(path)})


def ran_untrimmed(image: Path, program: LinkedProgram, coverage: Iterable[CoveredFunction]) -> set[str]:
    """Functions that `program`, the untrimmed one, ran on a disk, and that did not run in `coverage`, or not
    in all parts: the disk does not say which parts ran there. None if the file is no disk image, or if its
    coverage is that of another build."""
    noted = read_generation(image, COVERAGE_PATH) if _is_image(image) else b""
    recording = parse(noted, str(image)) if noted else None
    if recording is None or recording.build_id != program.build_id:
        return set()
    seen: dict[str, bool] = {}
    for function in coverage:
        if function.hit:
            seen[function.symbol] = seen.get(function.symbol, True) and not function.unused
    ran = {entry.symbol for entry in program.covered(recording, str(image)) if entry.hit}
    return {symbol for symbol in ran if not seen.get(symbol)}


def as_symbols(names: Sequence[str], coverage: Iterable[CoveredFunction], demangler: str) -> list[str]:
    """The names, and the symbols of all functions that have one of these names in a backtrace and can have
    been missed. Several functions may have one name there, because arguments are left out."""
    missed = set(names)
    functions = sorted({function.symbol for function in coverage if function.unused or not function.hit})
    shown = symbols.readable(functions, demangler)
    found = {symbol for symbol, name in zip(functions, shown, strict=True) if name in missed}
    return sorted(missed | found)
