"""The decoder of the guest's serial stream."""

from __future__ import annotations

import re

import pytest
from bareflow.qemu.serial import Console, Item, Malformed, ProtocolError, SerialDecoder, Text

BEGIN = b'@bareflow {"event":"text_begin"}\r\n'


END = b'@bareflow {"event":"text_end","bytes":%d}\r\n'


def end(size: int) -> bytes:
    return b"\r\n" + END % size


def pause(size: int) -> bytes:
    return b'\r\n@bareflow {"event":"text_pause","bytes":%d}\r\n' % size


def resume(size: int) -> bytes:
    return b'@bareflow {"event":"text_resume","bytes":%d}\r\n' % size


def decode(stream: bytes, step: int) -> tuple[bytes, bytes, list[str]]:
    """Console, text and names of the events of a stream that comes step bytes at a time."""
    decoder = SerialDecoder()
    items: list[Item] = []
    for i in range(0, len(stream), step):
        items += decoder.feed(stream[i : i + step])
    items += decoder.finish()
    console = b"".join(item.data for item in items if isinstance(item, Console))
    text = b"".join(item.data for item in items if isinstance(item, Text))
    return console, text, [item["event"] for item in items if isinstance(item, dict)]


FRAME = ["text_begin", "text_end"]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"hello\r\nworld", (b"hello\nworld", b"", [])),
        (b'a\r\n@bareflow {"event":"boot"}\r\nb\r\n', (b"a\nb\n", b"", ["boot"])),
        (b"not @bareflow {}\r\n", (b"not @bareflow {}\n", b"", [])),
        (b"@bare\r\n", (b"@bare\n", b"", [])),
        (BEGIN + b"Once" + end(4), (b"", b"Once", FRAME)),
        (BEGIN + end(0), (b"", b"", FRAME)),
        (BEGIN + b"a\r\n\r\nb\r\n" + end(5), (b"", b"a\n\nb\n", FRAME)),
        # A CR of the text itself stays, before a LF as well.
        (BEGIN + b"a\rb\r\r\nc" + end(6), (b"", b"a\rb\r\nc", FRAME)),
        # An @ that begins a line of text comes twice, so that no text is an event; any other does not.
        (BEGIN + b"@@a\r\n@@@@\r\n@@b@\r\n" + end(11), (b"", b"@a\n@@@\n@b@\n", FRAME)),
        (
            BEGIN + b'\r\n@@bareflow {"event":"text_end","bytes":0}\r\n' + end(42),
            (b"", b'\n@bareflow {"event":"text_end","bytes":0}\n', FRAME),
        ),
        # Messages and events within a text.
        (
            BEGIN + b"Once" + pause(4) + b"warning\r\n" + resume(4) + b" upon" + end(9),
            (b"warning\n", b"Once upon", ["text_begin", "text_pause", "text_resume", "text_end"]),
        ),
        (
            BEGIN + b"a\r\n" + pause(2) + b'@bareflow {"event":"x"}\r\n' + resume(2) + b"@@b" + end(4),
            (b"", b"a\n@b", ["text_begin", "text_pause", "x", "text_resume", "text_end"]),
        ),
        (
            BEGIN + b"a" + pause(1) + b"b\r\n" + END % 1,
            (b"b\n", b"a", ["text_begin", "text_pause", "text_end"]),
        ),
        # A message that ends the program, and a text that was begun again by another one.
        (BEGIN + b"Once" + pause(4) + b"panic\r\n", (b"panic\n", b"Once", ["text_begin", "text_pause"])),
        (
            BEGIN + b"Once" + pause(4) + b"panic\r\n" + BEGIN + b"Once upon" + end(9),
            (b"panic\n", b"OnceOnce upon", ["text_begin", "text_pause", *FRAME]),
        ),
        (BEGIN + b"x" + end(1) + b"done\r\n", (b"done\n", b"x", FRAME)),
        (BEGIN + b"x" + end(1) + BEGIN + b"y" + end(1), (b"", b"xy", FRAME * 2)),
    ],
)
def test_streams(stream: bytes, expected: tuple[bytes, bytes, list[str]], step: int) -> None:
    assert decode(stream, step) == expected


def test_text_is_given_out_as_it_comes() -> None:
    decoder = SerialDecoder()
    decoder.feed(BEGIN)
    assert decoder.feed(b"Once") == [Text(b"Once")]
    assert decoder.feed(b" upon\r") == [Text(b" upon")]
    assert decoder.feed(b"\n") == []  # may be text_end's line break
    assert decoder.feed(b"a") == [Text(b"\na")]


def test_prompt_is_given_out_before_its_line_ends() -> None:
    assert SerialDecoder().feed(b"> ") == [Console(b"> ")]


def test_wrong_length_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="text_end says 5 bytes, 4 came"):
        decode(BEGIN + b"Once" + end(5), 1000)


@pytest.mark.parametrize(
    "stream",
    [
        BEGIN + b"a" + pause(2),
        BEGIN + b"a" + pause(1) + resume(2),
        resume(0),
        BEGIN + b"a" + end(1) + resume(1),
    ],
)
def test_interruption_of_another_text_is_an_error(stream: bytes) -> None:
    with pytest.raises(ProtocolError, match=r"says \d bytes, .* came"):
        decode(stream, 1000)


def test_restart_within_the_text() -> None:
    """Of the machine, which says nothing about it: then whoever sees it says reset()."""
    decoder = SerialDecoder()
    decoder.feed(BEGIN + b"Once\r\n")
    assert decoder.reset() == [Text(b"\n")]
    assert decoder.feed(b"Booting\r\n") == [Console(b"Booting\n")]
    assert decoder.feed(BEGIN + b"Once")[1:] == [Text(b"Once")]
    assert decoder.reset() == []


def test_end_within_the_text_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="ended within the text, after 4 bytes"):
        decode(BEGIN + b"Once", 1000)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"@bareflow nonsense", r"b'@bareflow nonsense' \(18 bytes\) is no JSON"),
        (b'@bareflow {"cpu":"a "quoted" brand"}', "is no JSON"),
        (b'@bareflow {"event":"boot","cpu":"cut', "is no JSON: Unterminated string"),
        (b'@bareflow {"cpu":"\\"}', "is no JSON"),
        (b'@bareflow {"cpu":"\xff"}', "is no JSON"),
        (b"@bareflow " + b"[" * 100_000, "is no JSON"),
        (b"@bareflow []", 'is no object with a member "event"'),
        (b'@bareflow {"a":1}', 'is no object with a member "event"'),
        (b'@bareflow {"event":1}', 'is no object with a member "event"'),
    ],
)
def test_malformed_event_is_told_and_passed_over(line: bytes, problem: str) -> None:
    decoder = SerialDecoder()
    malformed, *rest = decoder.feed(line + b"\r\nhello\r\n" + BEGIN + b"Once" + end(4))
    assert isinstance(malformed, Malformed)
    assert re.search(problem, malformed.problem)
    assert [item for item in rest if not isinstance(item, dict)] == [Console(b"hello\n"), Text(b"Once")]
    assert decoder.finish() == []


def test_malformed_event_within_a_text() -> None:
    decoder = SerialDecoder()
    items = decoder.feed(BEGIN + b"Once" + pause(4) + b"@bareflow {\r\n" + resume(4) + b" upon" + end(9))
    assert [item.data for item in items if isinstance(item, Text)] == [b"Once", b" upon"]
    assert sum(isinstance(item, Malformed) for item in items) == 1
