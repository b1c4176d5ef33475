"""The patches of LLVM-libc: they apply exactly where they say, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.libc.patches import apply_patches, digest, read_patches
from bareflow.libc.source import SourceError, load_pin

ROOT = Path(__file__).resolve().parents[2]
LINES = [f"line {number}\n" for number in range(1, 31)]
FILES = {"src/a.cpp": "".join(LINES).encode(), "src/b.h": b"b\n"}
HEAD = "Why.\n\n--- src/a.cpp\n+++ src/a.cpp\n"
FIRST = "@@ -2,3 +2,4 @@ context\n line 2\n-line 3\n+line three\n+and more\n line 4\n"
SECOND = "@@ -20,2 +21 @@\n line 20\n-line 21\n"


def test_changes_the_lines_and_nothing_else() -> None:
    other = "--- src/b.h\n+++ src/b.h\n@@ -1 +1,2 @@\n b\n+c\n"
    patched = apply_patches({"x.patch": HEAD + FIRST + SECOND + other}, FILES)
    expected = [*LINES[:2], "line three\n", "and more\n", *LINES[3:20], *LINES[21:]]
    assert patched == {"src/a.cpp": "".join(expected).encode(), "src/b.h": b"b\nc\n"}


def test_one_patch_after_the_other() -> None:
    second = HEAD + "@@ -3 +3 @@\n-line three\n+line 3 again\n"
    patched = apply_patches({"a.patch": HEAD + FIRST, "b.patch": second}, FILES)
    assert patched["src/a.cpp"].splitlines()[2] == b"line 3 again"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEAD + FIRST.replace("line 4", "line 5"),
            r"x\.patch: src/a\.cpp does not apply: line 4 is not 'line 5'",
        ),
        (HEAD + FIRST.replace("-2,3", "-3,3"), "does not apply: line 3 is not 'line 2'"),
        (HEAD + SECOND.replace("20,2", "40,2"), "does not apply: line 40"),
        (HEAD + FIRST[: FIRST.index(" line 4")], "the hunk at line 2 is cut short"),
        (HEAD + SECOND + FIRST, "the hunk at line 2 overlaps"),
        (HEAD + "line 2\n", "no hunk begins with 'line 2"),
        (HEAD.replace("a.cpp", "c.cpp") + FIRST, r"there is no src/c\.cpp"),
        ("--- src/a.cpp\n+++ src/b.cpp\n" + FIRST, "renames"),
        ("Why.\n", "changes no file"),
    ],
)
def test_what_does_not_fit_is_an_error(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        apply_patches({"x.patch": text}, FILES)


def test_a_second_time_is_an_error() -> None:
    patch = {"x.patch": HEAD + FIRST}
    with pytest.raises(SourceError, match="does not apply"):
        apply_patches(patch, apply_patches(patch, FILES))


def test_committed_patches_change_pinned_files_and_are_told_apart() -> None:
    patches = read_patches(ROOT / "llvm-libc" / "patches")
    pin = load_pin(ROOT / "llvm-libc")
    changed = [line[4:] for text in patches.values() for line in text.splitlines() if line.startswith("--- ")]
    assert changed
    assert set(changed) <= set(pin.files)
    assert len({digest(patches), digest({}), digest(dict(list(patches.items())[1:]))}) == 3
