"""Functions that were removed and then called: a guest notes them in /profile/MISSES.TXT.

Of a function of which only a part was removed the guest knows the name that a backtrace has.

One miss hides the next ones: what was to be compiled was given up. So where the untrimmed image has done the
same on that disk as well, what it ran counts, too.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from bareflow.coverage.coverage_file import CoveredFunction
from bareflow.coverage.guest_coverage import COVERAGE_PATH, LinkedProgram, parse
from bareflow.disk.fat16 import SECTOR, Fat16Error
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
    except Fat16Error as error:
        raise MissesError(f"misses=: {path}: {error}") from None
    except UnicodeDecodeError:
        raise MissesError(f"misses=: {path} is neither a disk image nor a list of function names") from None
    return [name for line in text.splitlines() if (name := line.strip())]


def missed_functions(files: Iterable[Path]) -> list[str]:
    """The names in disk images (their guest's list) and in text files (one a line), sorted, each once."""
    return sorted({name for path in files for name in _names_in(path)})


def ran_untrimmed(image: Path, program: LinkedProgram, coverage: Iterable[CoveredFunction]) -> set[str]:
    """Functions that a disk's guest ran while it was `program`, the untrimmed one, and that `coverage` has
    not seen, or not all of: which part of them ran there, nobody has noted. None of another file, or of a
    disk where another build has noted what ran."""
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
    """The names, and the symbols of all functions with parts to remove that a backtrace calls by one of them:
    several may have one name there, without their arguments."""
    missed = set(names)
    functions = sorted({function.symbol for function in coverage if function.unused})
    shown = symbols.readable(functions, demangler)
    found = {symbol for symbol, name in zip(functions, shown, strict=True) if name in missed}
    return sorted(missed | found)
