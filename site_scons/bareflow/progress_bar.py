"""How far a long transfer has got: a bar on a terminal, otherwise a line now and then."""

import time
from typing import TextIO

_WIDTH = 30
_SECONDS = {True: 0.1, False: 5.0}  # between two updates; by "is a terminal"


class ProgressBar:
    """Call it with the number of bytes that are there; close() ends the line."""

    def __init__(self, stream: TextIO, name: str, size: int) -> None:
        self._stream, self._name, self._size = stream, name, size
        self._terminal = stream.isatty()
        self._start = self._last = time.monotonic()
        self._done = -1
        self._first: int | None = None  # what was there already counts for nothing in the speed
        self._open = False

    def __call__(self, done: int) -> None:
        if done == self._done:
            return
        now = time.monotonic()
        if self._first is None:
            self._first = done
        elif now - self._last < _SECONDS[self._terminal] and done < self._size:
            return
        self._last, self._done = now, done
        speed = (done - self._first) / max(now - self._start, 0.001)
        bar = ("#" * (done * _WIDTH // self._size)).ljust(_WIDTH, ".")
        text = f"{done / 1e6:.1f} of {self._size / 1e6:.1f} MB  {speed / 1e6:.1f} MB/s"
        if self._terminal:
            self._stream.write(f"\r           {self._name} [{bar}] {text}\033[K")
            self._open = True
        else:
            self._stream.write(f"           {self._name}: {text}\n")
        self._stream.flush()

    def close(self) -> None:
        """Whatever is written next begins a line of its own."""
        if self._open:
            self._stream.write("\n")
            self._stream.flush()
            self._open = False
