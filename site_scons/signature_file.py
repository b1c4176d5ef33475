"""The database module for SConsignFile(): SCons's own, without a traceback on a full disk."""

import sys

import SCons.dblite


class _Database(SCons.dblite._Dblite):  # type: ignore[misc]
    def sync(self) -> None:
        try:
            super().sync()
        except OSError as error:
            self._needs_sync = False  # or it would be tried again, and fail with a traceback
            print(
                f"bareflow: {self._file_name} cannot be written: {error.strerror}. "
                "The next build does more than it needs to.",
                file=sys.stderr,
            )


def open(file: str, flag: str = "r", mode: int = 0o666) -> _Database:
    """What SCons calls."""
    return _Database(file, flag, mode)
