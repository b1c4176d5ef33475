"""What `run` makes of its standard input."""

from __future__ import annotations

import os
import select
import tempfile
from pathlib import Path

import pytest
from bareflow.run.run_input import InputError, Keys, read_prompt


def prompt_of(data: bytes) -> str:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return read_prompt(file.fileno())


@pytest.mark.parametrize(
    ("data", "prompt"),
    [
        (b"", ""),
        (b"\n", ""),
        (b"hi", "hi"),
        (b"hi\n", "hi"),
        (b"hi\r\n", "hi"),
        (b"hi\n\n", "hi\n"),
        (b"one\r\ntwo\nthree\r\n", "one\ntwo\nthree"),
        (b" a\rb \n", " a\rb "),
        ("\ufefffür\n".encode(), "für"),
        (b"\xff", "\udcff"),
        (b"x" * (1 << 20), "x" * (1 << 20)),
    ],
)
def test_prompt(data: bytes, prompt: str) -> None:
    assert prompt_of(data) == prompt


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a\0b", "standard input is no prompt: there is a zero byte in it"),
        (b"x" * ((1 << 20) + 1), "standard input is no prompt: it is longer than 1048576 bytes"),
    ],
)
def test_input_that_is_no_prompt(data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        prompt_of(data)


def test_unreadable_input(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(InputError, match="standard input cannot be read: Is a directory"):
        read_prompt(folder)
    os.close(folder)


def test_waiting_for_a_prompt_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, sink = os.pipe()

    def wait(readers: list[int], *_: object) -> tuple[list[int], list[int], list[int]]:
        os.write(sink, b"late\n")
        os.close(sink)
        return [], [], []

    monkeypatch.setattr(select, "select", wait)
    assert read_prompt(source) == "late"
    assert "the prompt is read from standard input" in capsys.readouterr().err
    os.close(source)


@pytest.mark.parametrize("step", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("data", "typed"),
    [
        (b"", b""),
        (b"a", b"a\r"),
        (b"a\nb\n", b"a\rb\r"),
        (b"a\nb", b"a\rb\r"),
        (b"a\r\nb\r\n", b"a\rb\r"),
        (b"a\r\n\r\n\nb", b"a\r\r\rb\r"),
        (b"a\rb\r", b"a\rb\r"),
        (b"\r\n", b"\r"),
        (b"\n\r", b"\r\r"),
    ],
)
def test_every_line_is_one_enter(data: bytes, typed: bytes, step: int) -> None:
    keys = Keys()
    pieces = [keys.typed(data[i : i + step]) for i in range(0, len(data), step)]
    assert b"".join(pieces) + keys.end() == typed
