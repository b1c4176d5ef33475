"""The model's text on its way to standard output."""

from __future__ import annotations

import io

import pytest
from bareflow.run.text_output import TextOutput


def written(*steps: str) -> str:
    """What is on the stream after these steps: "<" begins a text, ">" ends it, all else is text."""
    stream = io.BytesIO()
    output = TextOutput(stream)
    for step in steps:
        if step == "<":
            output.begin()
        elif step == ">":
            output.end()
        else:
            output.write(step.encode())
    return stream.getvalue().decode()


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["<", "Once", " upon", ">"], "Once upon\n"),
        (["<", "Once\n", ">"], "Once\n"),
        (["<", ">"], ""),
        (["<", "a", ">", "<", "b", ">"], "a\nb\n"),
        ([">"], ""),
        # Told again from the beginning: the same text, in pieces that end elsewhere.
        (["<", "Once upon", "<", "On", "ce upon a", " time", ">"], "Once upon a time\n"),
        (["<", "Once", "<", "Once upon", "<", "Once upon a time", ">"], "Once upon a time\n"),
        (["<", "Once", "<", "<", "O", "<", "Once upon", ">"], "Once upon\n"),
        # Another text.
        (["<", "Once upon", "<", "Once ", "there", " was", ">"], "Once upon\nOnce there was\n"),
        (["<", "Once\n", "<", "Twice", ">"], "Once\nTwice\n"),
        (["<", "Once", "<", "Twice", "<", "Twice a day", ">"], "Once\nTwice a day\n"),
        # The same text, which ends earlier.
        (["<", "Once upon", "<", "Once", ">", "<", "more", ">"], "Once upon\nmore\n"),
        # No end.
        (["<", "Once", "<", "Once upon"], "Once upon"),
    ],
)
def test_texts(steps: list[str], expected: str) -> None:
    assert written(*steps) == expected
