"""examples/marks: its checksums are those that Python computes, with its own sort, regular expressions and
CRC."""

from __future__ import annotations

import binascii
import re
import struct
from bisect import bisect_left
from pathlib import Path

import pytest
from run_program import run

NODES, ORDER, TEXT_BYTES = 256, 16, 512
LETTERS = "0123456789012345678901234567+-.eE,,,,x"
NUMBER = r"[+-]?\d+"
FRACTION = NUMBER + r"\.\d*"
EXPONENT = rf"{NUMBER}(\.\d*)?[eE]"
ENDS = ["", "[+-]", NUMBER, FRACTION, EXPONENT, EXPONENT + "[+-]", EXPONENT + r"[+-]?\d+"]
"""What a number is whose end is met in each of the states, but for the last, which has the others."""


class Random:
    def __init__(self, seed: int) -> None:
        self._state = seed

    def next(self) -> int:
        self._state = (self._state * 1664525 + 1013904223) % 2**32
        return self._state >> 16


def crc(before: int, numbers: list[int]) -> int:
    return binascii.crc_hqx(struct.pack(f"<{len(numbers)}I", *numbers), before)


def ends(text: str) -> list[int]:
    numbers = text.split(",")[:-1]
    found = [sum(re.fullmatch(pattern, number) is not None for number in numbers) for pattern in ENDS]
    return [*found, len(numbers) - sum(found)]


def expected(rounds: int, seed: int) -> str:
    chance = Random(seed)
    keys = [chance.next() % 1000 for _ in range(NODES)]
    pairs = [[(chance.next(), chance.next()) for _ in range(ORDER)] for _ in range(ORDER)]
    left, right = ([[pair[side] for pair in row] for row in pairs] for side in (0, 1))
    text = [LETTERS[chance.next() % len(LETTERS)] for _ in range(TEXT_BYTES)]
    lists = matrices = states = sums = 0
    for _ in range(rounds):
        key = chance.next() % 1000
        backwards = keys[::-1]
        passed = next((i for i, other in enumerate(backwards) if other >= key), NODES)
        order = sorted(range(NODES - 1, -1, -1), key=lambda place: keys[place])
        lists = crc(lists, [passed, bisect_left(sorted(keys), key), *order])
        keys[0] = key
        columns = list(zip(*right, strict=True))
        product = [
            [sum(a * b for a, b in zip(row, column, strict=True)) % 2**32 for column in columns]
            for row in left
        ]
        matrices = crc(matrices, [sum(product[i][i] for i in range(ORDER)) % 2**32])
        left = [[left[i][j] ^ product[j][i] >> 7 for j in range(ORDER)] for i in range(ORDER)]
        states = crc(states, ends("".join(text)))
        place = chance.next() % TEXT_BYTES
        text[0], text[place] = text[place], text[0]
        sums = binascii.crc_hqx("".join(text).encode(), sums)
    return f"list {lists:04x}, matrix {matrices:04x}, states {states:04x}, bytes {sums:04x}\n"


@pytest.mark.parametrize(("rounds", "seed"), [(1, 1), (40, 2026)])
def test_checksums(build_dir: Path, rounds: int, seed: int) -> None:
    result = run(build_dir.parent / "apps/marks/native/bareflow.img", f"args={rounds} {seed}")
    assert (result.returncode, result.stdout.decode()) == (0, expected(rounds, seed))
    assert re.search(rb"[0-9.]+ rounds/s\n", result.stderr)
