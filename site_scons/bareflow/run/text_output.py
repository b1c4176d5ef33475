"""The model's text on its way to standard output."""

from typing import Protocol


class ByteStream(Protocol):
    """What is written to it is out at once, whole."""

    def write(self, data: bytes, /) -> object: ...


class TextOutput:
    """Writes texts one after the other. With completes_lines each has a line break at its end.

    A guest that has restarted in the middle of a text generates it again from the beginning. What is written
    already is then not written again. If the second text is another one, it begins on a new line.
    """

    def __init__(self, stream: ByteStream, *, completes_lines: bool = True) -> None:
        self._stream = stream
        self._completes_lines = completes_lines
        self._written = b""  # of the current text
        self._repeated: int | None = None  # how much of that has come again; None: it is no repetition
        self._open = False

    def begin(self) -> None:
        """A text begins; one that has not ended is repeated."""
        if self._open:
            self._repeated = 0
        else:
            self._written, self._repeated, self._open = b"", None, True

    def write(self, data: bytes) -> None:
        """The next piece of it."""
        if self._repeated is not None:
            expected = self._written[self._repeated : self._repeated + len(data)]
            if not data.startswith(expected):
                repeated = self._written[: self._repeated]
                self._end_line()
                self._written, self._repeated = b"", None
                data = repeated + data
            else:
                data = data[len(expected) :]
                self._repeated += len(expected)
                if self._repeated == len(self._written):
                    self._repeated = None
        self._put(data)

    def end(self) -> None:
        """The text ends, or nothing more comes at all."""
        if self._open:
            self._end_line()
        self._open = False

    def _end_line(self) -> None:
        if self._completes_lines and self._written and not self._written.endswith(b"\n"):
            self._put(b"\n")

    def _put(self, data: bytes) -> None:
        if data:
            self._written += data
            self._stream.write(data)
