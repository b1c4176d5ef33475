"""What we correct in LLVM-libc's source: llvm-libc/patches/*.patch, unified diffs with a reason in front.

Unlike patch(1), this looks for no other place when the lines are not where the patch says: a patch that does
not fit the pinned source is an error, and so is one that is in the source already.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from bareflow.libc.source import SourceError

_FILE = re.compile(r"^--- (\S+)\n\+\+\+ (\S+)\n", re.MULTILINE)
_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def read_patches(folder: Path) -> dict[str, str]:
    """The patches in a folder, name to text, in the order in which they are applied."""
    return {path.name: path.read_text() for path in sorted(folder.glob("*.patch"))}


def digest(patches: Mapping[str, str]) -> str:
    """Names the set of patches."""
    listing = "".join(f"{name}\n{len(text)}\n{text}" for name, text in patches.items())
    return hashlib.sha256(listing.encode()).hexdigest()[:16]


def _files(name: str, text: str) -> Iterator[tuple[str, list[str]]]:
    """For each file that a patch changes, its path and the lines of its hunks."""
    heads = list(_FILE.finditer(text))
    if not heads:
        raise SourceError(f"{name} changes no file")
    ends = [head.start() for head in heads[1:]] + [len(text)]
    for head, end in zip(heads, ends, strict=True):
        if head[1] != head[2]:
            raise SourceError(f"{name} renames {head[1]}")
        yield head[1], text[head.end() : end].splitlines(keepends=True)


def _change(where: str, old: list[str], hunks: list[str]) -> list[str]:
    """A file's lines with all its hunks applied."""
    new: list[str] = []
    taken = position = 0  # lines of old, of hunks
    while position < len(hunks):
        head = _HUNK.match(hunks[position])
        if not head:
            raise SourceError(f"{where}: no hunk begins with {hunks[position]!r}")
        start, before, after = int(head[1]) - 1, int(head[2] or 1), int(head[4] or 1)
        position += 1
        if start < taken:
            raise SourceError(f"{where}: the hunk at line {start + 1} overlaps the one before")
        new += old[taken:start]
        taken = start
        while before > 0 or after > 0:
            line = hunks[position] if position < len(hunks) else "(end of the patch)"
            position += 1
            kind, content = line[0], line[1:]
            if kind not in " +-":
                raise SourceError(f"{where}: the hunk at line {start + 1} is cut short")
            if kind != "+":
                if taken >= len(old) or old[taken] != content:
                    raise SourceError(f"{where} does not apply: line {taken + 1} is not {content.rstrip()!r}")
                taken += 1
                before -= 1
            if kind != "-":
                new.append(content)
                after -= 1
    return new + old[taken:]


def apply_patches(patches: Mapping[str, str], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files, path to contents, with all patches; raises SourceError when one does not fit exactly."""
    patched = dict(files)
    for name, text in patches.items():
        for path, hunks in _files(name, text):
            if path not in patched:
                raise SourceError(f"{name}: there is no {path} in LLVM-libc's pinned source")
            old = patched[path].decode().splitlines(keepends=True)
            patched[path] = "".join(_change(f"{name}: {path}", old, hunks)).encode()
    return patched
