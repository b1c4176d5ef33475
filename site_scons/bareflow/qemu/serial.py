"""Takes the guest's serial stream apart: console output, events, and the model's text.

docs/serial-line.md says what comes. A line `@bareflow {json}` is an event for programs. From the event
text_begin on comes the model's text, until the next event; one line break before that does not belong to the
text, and a text's "@" at the start of a line comes twice. If that event is text_pause, the text goes on after
text_resume. "bytes" is the text's length so far.
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


@dataclass(frozen=True)
class Restart:
    """The machine starts again."""

    announced: bool
    """Whether the guest wanted it."""


@dataclass(frozen=True)
class Malformed:
    """A line that should be an event and is none."""

    problem: str


Item = Console | Text | Event | Restart | Malformed


def _parse_event(line: bytes) -> Event | Malformed:
    try:
        event = json.loads(line[len(MARK) :])
    except (ValueError, RecursionError) as error:
        return Malformed(f"the line {line!r} ({len(line)} bytes) is no JSON: {error}")
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        return Malformed(f'the line {line!r} is no object with a member "event"')
    return event


class SerialDecoder:
    """Incremental: feed() takes what came and returns what is complete, as early as it can be known."""

    def __init__(self) -> None:
        self._pending = b""  # bytes whose meaning is not known yet, CR LF already made LF
        self._carriage_return = False  # the last byte fed was a CR that may belong to a LF
        self._line_start = True  # _pending begins at the start of a line
        self._in_text = False
        self._text_bytes: int | None = None  # length so far of a text that has not ended

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
        if self._in_text:
            raise ProtocolError(f"the serial line ended within the text, after {self._text_bytes} bytes")
        return self._flush()

    def reset(self) -> list[Item]:
        """The machine has restarted, perhaps in the middle of a text: gives out what was held back."""
        items = self._flush()
        self._line_start, self._in_text, self._text_bytes = True, False, None
        return items

    def _flush(self) -> list[Item]:
        rest = self._pending + b"\r" * self._carriage_return
        self._pending, self._carriage_return = b"", False
        return [Text(rest) if self._in_text else Console(rest)] if rest else []

    def _next(self) -> Item | None:
        if not self._pending:
            return None
        return self._next_text() if self._in_text else self._next_console()

    def _next_console(self) -> Item | None:
        if self._line_start and self._pending[: len(MARK)] == MARK[: len(self._pending)]:
            return self._next_event(self._pending)
        end = self._pending.find(b"\n") + 1 or len(self._pending)
        piece, self._pending = self._pending[:end], self._pending[end:]
        self._line_start = piece.endswith(b"\n")
        return Console(piece)

    def _next_text(self) -> Item | None:
        line_break = self._pending.startswith(b"\n")
        line = self._pending[line_break:]
        if (line_break or self._line_start) and (not line or line.startswith(b"@")):
            if len(line) < 2:
                return None  # perhaps an event
            if not line.startswith(b"@@"):
                return self._next_event(line)
            return self._take_text(b"\n@" if line_break else b"@", line[2:])
        end = self._pending.find(b"\n", 1)
        size = len(self._pending) if end < 0 else end
        return self._take_text(self._pending[:size], self._pending[size:])

    def _take_text(self, piece: bytes, rest: bytes) -> Text:
        assert self._text_bytes is not None
        self._text_bytes += len(piece)
        self._pending, self._line_start = rest, False
        return Text(piece)

    def _next_event(self, pending: bytes) -> Event | Malformed | None:
        """The event that these bytes begin with, once its line is complete."""
        line, line_break, rest = pending.partition(b"\n")
        if not line_break:
            return None
        event = _parse_event(line)
        self._pending, self._line_start = rest, True
        if isinstance(event, Malformed):
            self._in_text = False
        else:
            self._follow(event)
        return event

    def _follow(self, event: Event) -> None:
        """Begins, interrupts and ends the text."""
        name = event["event"]
        if name in ("text_pause", "text_resume", "text_end") and event.get("bytes") != self._text_bytes:
            raise ProtocolError(f"{name} says {event.get('bytes')} bytes, {self._text_bytes} came")
        if name == "text_begin":
            self._text_bytes = 0
        elif name == "text_end":
            self._text_bytes = None
        self._in_text = name in ("text_begin", "text_resume")
