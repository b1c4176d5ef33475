"""Takes the guest's serial stream apart: console output, events, and the model's framed text.

The stream is text for people. A line `@bareflow {json}` is an event for programs. Between the
events text_begin and text_end lies the model's own text, byte for byte except that "\\n" is sent
as "\\r\\n"; one more line break stands before text_end's line, and its member "bytes" is the
length of the text, so that a text which imitates an event cannot end the frame.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

MARK = b"@bareflow "
Event = dict[str, Any]


class ProtocolError(Exception):
    """The guest's serial output breaks the protocol above."""


@dataclass(frozen=True)
class Console:
    """Output for people; line breaks are "\\n"."""

    data: bytes


@dataclass(frozen=True)
class Text:
    """A piece of the model's text, in order."""

    data: bytes


Item = Console | Text | Event


def _parse_event(line: bytes) -> Event:
    try:
        event = json.loads(line[len(MARK) :])
    except ValueError as error:
        raise ProtocolError(f"the line {line!r} is no JSON: {error}") from None
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        raise ProtocolError(f'the line {line!r} is no object with a member "event"')
    return event


class SerialDecoder:
    """Incremental: feed() takes what came and returns what is complete, as early as it can be known."""

    def __init__(self) -> None:
        self._pending = b""  # bytes whose meaning is not known yet, CR LF already made LF
        self._carriage_return = False  # the last byte fed was a CR that may belong to a LF
        self._line_start = True  # _pending begins at the start of a line
        self._text_bytes: int | None = None  # length of the text so far; None outside a frame

    def feed(self, data: bytes) -> list[Item]:
        """Decodes the next bytes; raises ProtocolError when they cannot be right."""
        if self._carriage_return:
            data = b"\r" + data
        self._carriage_return = data.endswith(b"\r")
        if self._carriage_return:
            data = data[:-1]
        self._pending += data.replace(b"\r\n", b"\n")
        items: list[Item] = []
        while (item := self._next()) is not None:
            items.append(item)
        return items

    def finish(self) -> list[Item]:
        """The stream has ended: gives out what was held back."""
        if self._text_bytes is not None:
            raise ProtocolError(f"the serial line ended within the text, after {self._text_bytes} bytes")
        rest, self._pending = self._pending + b"\r" * self._carriage_return, b""
        return [Console(rest)] if rest else []

    def _next(self) -> Item | None:
        if not self._pending:
            return None
        return self._next_console() if self._text_bytes is None else self._next_text()

    def _next_console(self) -> Item | None:
        if self._line_start and self._pending[: len(MARK)] == MARK[: len(self._pending)]:
            if b"\n" not in self._pending:
                return None  # perhaps the beginning of an event
            line, self._pending = self._pending.split(b"\n", 1)
            event = _parse_event(line)
            if event["event"] == "text_begin":
                self._text_bytes = 0
            return event
        end = self._pending.find(b"\n") + 1 or len(self._pending)
        piece, self._pending = self._pending[:end], self._pending[end:]
        self._line_start = piece.endswith(b"\n")
        return Console(piece)

    def _next_text(self) -> Item | None:
        assert self._text_bytes is not None
        frame_end = b"\n" + MARK
        at = self._pending.find(b"\n")
        if at == 0:
            if self._pending[: len(frame_end)] == frame_end[: len(self._pending)]:
                line, newline, rest = self._pending[1:].partition(b"\n")
                if not newline:
                    return None  # perhaps the end of the frame
                if self._ends_frame(line):
                    self._pending, self._text_bytes, self._line_start = rest, None, True
                    return _parse_event(line)
            at = self._pending.find(b"\n", 1)
        size = len(self._pending) if at < 0 else at
        piece, self._pending = self._pending[:size], self._pending[size:]
        self._text_bytes += len(piece)
        return Text(piece)

    def _ends_frame(self, line: bytes) -> bool:
        """Whether this line within the text is the genuine text_end."""
        try:
            event = _parse_event(line)
        except ProtocolError:
            return False
        if event["event"] != "text_end":
            return False
        if event.get("bytes") != self._text_bytes:
            raise ProtocolError(f"text_end says {event.get('bytes')} bytes, {self._text_bytes} came")
        return True
