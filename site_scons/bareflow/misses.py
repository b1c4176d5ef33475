"""Functions that were removed and then called: a guest notes them in /profile/MISSES.TXT."""

from collections.abc import Iterable
from pathlib import Path

from .errors import BareFlowError
from .fat16_layout import SECTOR, Fat16Error
from .fat16_reader import list_directory, read_file

MISSES_PATH = "/profile/MISSES.TXT"
_BOOT_SIGNATURE = b"\x55\xaa"


class MissesError(BareFlowError):
    """A file is neither a disk image nor a list of names."""


def _is_image(data: bytes) -> bool:
    return len(data) > SECTOR and data[SECTOR - 2 : SECTOR] == _BOOT_SIGNATURE


def _list_in(image: bytes) -> bytes:
    folder, _, name = MISSES_PATH.rpartition("/")
    noted = any(entry.name.upper() == name for entry in list_directory(image, folder))
    return read_file(image, MISSES_PATH) if noted else b""


def _names_in(path: Path) -> list[str]:
    data = path.read_bytes()
    try:
        text = (_list_in(data) if _is_image(data) else data).decode("ascii")
    except Fat16Error as error:
        raise MissesError(f"misses=: {path}: {error}") from None
    except UnicodeDecodeError:
        raise MissesError(f"misses=: {path} is neither a disk image nor a list of function names") from None
    return [name for line in text.splitlines() if (name := line.strip())]


def missed_functions(files: Iterable[Path]) -> list[str]:
    """The names in disk images (their guest's list) and in text files (one a line), sorted, each once."""
    return sorted({name for path in files for name in _names_in(path)})
