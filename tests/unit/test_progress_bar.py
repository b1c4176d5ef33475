"""The line that tells how far a download has got."""

from __future__ import annotations

import io

from bareflow.progress_bar import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bar_on_a_terminal() -> None:
    stream = Terminal()
    bar = ProgressBar(stream, "model.bin", 4_000_000)
    bar(1_000_000)
    bar(1_000_001)  # too soon to be worth a redraw
    bar(4_000_000)
    bar.close()
    first, second = stream.getvalue().split("\r")[1:]
    assert "model.bin [#######.......................] 1.0 of 4.0 MB" in first
    assert "model.bin [##############################] 4.0 of 4.0 MB" in second
    assert stream.getvalue().endswith("\n")


def test_lines_elsewhere() -> None:
    stream = io.StringIO()
    bar = ProgressBar(stream, "model.bin", 4_000_000)
    bar(1_000_000)
    bar(4_000_000)
    bar.close()
    lines = stream.getvalue().splitlines()
    assert [line.split("MB")[0].strip() for line in lines] == [
        "model.bin: 1.0 of 4.0",
        "model.bin: 4.0 of 4.0",
    ]


def test_nothing_to_do_prints_nothing() -> None:
    stream = Terminal()
    ProgressBar(stream, "model.bin", 1).close()
    assert stream.getvalue() == ""
