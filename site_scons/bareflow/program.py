"""The outside of a Python program that the build starts: its standard streams, Ctrl-C, its status.

    if __name__ == "__main__":
        sys.exit(program.call("bench", main, sys.argv[1:]))

What the user can cause ends with a sentence on standard error, not with a traceback: standard output
that is closed or full, a reader that has had enough, Ctrl-C at any time.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bareflow.errors import BareFlowError

STREAMS = {0: "standard input", 1: "standard output", 2: "standard error"}


class Output(io.RawIOBase):
    """Standard output: unbuffered, and all that it is given is written, also where that has to wait.

    Raises BrokenPipeError, or BareFlowError when it cannot be written.
    """

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except BrokenPipeError:
                raise
            except OSError as error:
                name = STREAMS[self._descriptor]
                raise BareFlowError(f"{name} cannot be written: {error.strerror}") from None
        return size


class Messages(Output):
    """Standard error: what cannot be written is dropped, because there is nowhere to report that."""

    def __init__(self) -> None:
        super().__init__(2)

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except (BrokenPipeError, BareFlowError):
            return memoryview(data).nbytes


def _text_stream(raw: Output, errors: str, *, line_buffering: bool) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding="utf-8", errors=errors, line_buffering=line_buffering
    )


def open_closed_streams() -> set[int]:
    """The standard streams that were closed; they are /dev/null from now on, so that no other file takes
    their numbers."""
    closed = set()
    for descriptor in STREAMS:
        try:
            os.fstat(descriptor)
        except OSError as error:
            if error.errno != errno.EBADF:
                continue
            closed.add(descriptor)
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    return closed


@contextlib.contextmanager
def signals_held_back() -> Iterator[None]:
    """Signals that would end this process, or the block with an exception, do so at the block's end: within
    subprocess.Popen, for example, they would leave a process behind that nobody knows of."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python's handlers run in the main thread
        return
    arrived: list[int] = []
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        handler = signal.getsignal(number)
        if handler not in (None, signal.SIG_IGN):
            before[number] = signal.signal(number, lambda number, frame: arrived.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for received in arrived:
            signal.raise_signal(received)


def _terminate(number: int, frame: object) -> None:
    """Leaves the `with` blocks, so that no QEMU outlives this process."""
    sys.exit(128 + number)


def call(name: str, main: Callable[[Sequence[str]], int], argv: Sequence[str]) -> int:
    """Calls main(argv); returns the exit status. name begins the sentences on standard error."""
    closed = open_closed_streams()
    sys.stderr = _text_stream(Messages(), "backslashreplace", line_buffering=True)
    sys.stdout = _text_stream(Output(), "surrogateescape", line_buffering=os.isatty(1))
    try:
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _terminate)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # see python_module
        if 1 in closed:
            raise BareFlowError("standard output is closed")
        status = main(argv)
        sys.stdout.flush()
        return status
    except BareFlowError as error:
        print(f"{name}: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except BrokenPipeError:  # whoever read standard output has had enough
        status = 128 + signal.SIGPIPE
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered has nowhere to go
    return status
