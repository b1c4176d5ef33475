"""The decoder of the guest's serial stream."""

from __future__ import annotations

import pytest
from bareflow.qemu_serial import Console, Item, ProtocolError, SerialDecoder, Text

BEGIN = b'@bareflow {"event":"text_begin"}\r\n'


def end(size: int) -> bytes:
    return b'\r\n@bareflow {"event":"text_end","bytes":%d}\r\n' % size


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
        # A text that imitates an event stays text.
        (BEGIN + b"a\r\n@bareflow x\r\nb" + end(15), (b"", b"a\n@bareflow x\nb", FRAME)),
        (
            BEGIN + b'\r\n@bareflow {"event":"exit"}\r\n' + end(28),
            (b"", b'\n@bareflow {"event":"exit"}\n', FRAME),
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


def test_end_within_the_text_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="ended within the text, after 4 bytes"):
        decode(BEGIN + b"Once", 1000)


@pytest.mark.parametrize("line", [b"@bareflow nonsense\r\n", b"@bareflow []\r\n", b'@bareflow {"a":1}\r\n'])
def test_malformed_event_is_an_error(line: bytes) -> None:
    with pytest.raises(ProtocolError, match="@bareflow"):
        decode(line, 1000)
