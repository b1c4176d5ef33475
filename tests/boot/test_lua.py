"""examples/lua: a script of the disk, one that writes to it, and the interpreter's dialogue."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from fixture_types import Disk
from run_program import run


@pytest.fixture
def lua(build_dir: Path) -> Path:
    return build_dir.parent / "apps/lua/native/bareflow.img"


def fibonacci(n: int) -> int:
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def test_script(lua: Path) -> None:
    result = run(lua, "args=/FIB.LUA 15 2")
    line = f"fib(15) = {fibonacci(15)}\n"
    assert (result.returncode, result.stdout.decode()) == (0, 2 * line)
    assert result.stderr.count(b" s\n") == 2


def test_script_that_writes(lua: Path, disk: Disk) -> None:
    copy = disk(lua)
    result = run(copy.path, "write=1", "args=/QUEENS.LUA 6 /SIX.TXT")
    ways = [
        columns
        for columns in permutations(range(6))
        if len({column + row for row, column in enumerate(columns)}) == 6
        and len({column - row for row, column in enumerate(columns)}) == 6
    ]
    assert result.stdout.decode() == f"6 queens: {len(ways)} ways\n"
    board = ["." * column + "Q" + "." * (5 - column) for column in ways[0]]
    assert copy.read("/SIX.TXT").decode() == "\n".join(board) + "\n"


def test_dialogue(lua: Path) -> None:
    typed = 'for i = 1, 3 do\nprint(i * 7, i / 2)\nend\nx = "a"\n x:rep(3), 2^53, -7 // 2\nerror("so")\n'
    typed += 'pcall(error)\nstring.format("%.3g|%5d|%q", math.pi, 42, "a\\nb")\nos.exit(3)\n'
    result = run(lua, stdin=typed.encode())
    lines = [line.lstrip("> ") for line in result.stdout.decode().splitlines()[1:]]
    assert lines == [
        *(f"{i * 7}\t{i / 2}" for i in (1, 2, 3)),
        f"aaa\t{2.0**53:.14g}\t{-7 // 2}",
        "false\tnil",
        '3.14|   42|"a\\',
        'b"',
        "",  # behind the last prompt
    ]
    assert b"stdin:1: so\n" in result.stderr
    assert result.returncode == 3


def test_no_such_script(lua: Path) -> None:
    result = run(lua, "args=/NONE.LUA")
    assert (result.returncode, result.stdout) == (1, b"")
    assert result.stderr.startswith(b"lua: cannot open /NONE.LUA")
