"""Static libraries (ar archives): where their members lie, so that they can be replaced in place."""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from bareflow.errors import BareFlowError

MAGIC = b"!<arch>\n"
_HEADER_SIZE = 60
_SIZE = slice(48, 58)
_INDEX = "/"
_INDEXES = (_INDEX, "/SYM64/")
_LONG_NAMES = "//"


class ArchiveError(BareFlowError):
    """A file is no archive, or a damaged one."""


@dataclass(frozen=True)
class Member:
    """A file in an archive."""

    name: str
    offset: int
    """Of its contents."""
    size: int


def _headers(archive: bytes) -> Iterator[Member]:
    """All members, indexes included, under their raw names."""
    if archive[: len(MAGIC)] != MAGIC:
        raise ArchiveError("this is no archive")
    at = len(MAGIC)
    while at < len(archive):
        header = archive[at : at + _HEADER_SIZE]
        if len(header) < _HEADER_SIZE or not header.endswith(b"`\n") or not header[_SIZE].strip().isdigit():
            raise ArchiveError(f"no member's header at offset {at}")
        member = Member(header[:16].rstrip().decode(), at + _HEADER_SIZE, int(header[_SIZE]))
        if member.offset + member.size > len(archive):
            raise ArchiveError(f"the member at offset {at} is cut off")
        yield member
        at = member.offset + member.size + member.size % 2


def members(archive: bytes) -> Iterator[Member]:
    """The members of an archive in System V format, without its symbol index and its table of long names."""
    long_names = b""
    for member in _headers(archive):
        name = member.name
        if name == _LONG_NAMES:
            long_names = archive[member.offset : member.offset + member.size]
        elif name not in _INDEXES:
            if name.startswith("/"):
                start = int(name[1:])
                name = long_names[start : long_names.index(b"/\n", start)].decode()
            yield Member(name.removesuffix("/"), member.offset, member.size)


def _moved_index(index: bytes, moved: Mapping[int, int]) -> bytes:
    """A symbol index whose offsets, of members' headers, are the new ones."""
    count = struct.unpack_from(">I", index)[0]
    offsets = struct.unpack_from(f">{count}I", index, 4)
    new_offsets = (moved[offset] for offset in offsets)
    return struct.pack(f">{count + 1}I", count, *new_offsets) + index[4 * (count + 1) :]


def replace_members(archive: bytes, output: BinaryIO, replacement: Callable[[int], bytes | None]) -> None:
    """Writes a copy of an archive. `replacement` gives, for the offset of a member's contents, other
    contents, or None to keep them; it is asked once a member, in their order, and the copy never is in memory
    as a whole."""
    known = {member.offset for member in members(archive)}
    moved: dict[int, int] = {}
    indexes = []
    output.write(MAGIC)
    for member in _headers(archive):
        header = archive[member.offset - _HEADER_SIZE : member.offset]
        contents = replacement(member.offset) if member.offset in known else None
        if contents is None:
            contents = archive[member.offset : member.offset + member.size]
        moved[member.offset - _HEADER_SIZE] = output.tell()
        if member.name == _INDEX:
            indexes.append((output.tell() + _HEADER_SIZE, contents))
        elif member.name in _INDEXES:
            raise ArchiveError("an archive of more than 4 GiB")
        size = b"%-10d" % len(contents)
        output.write(
            header[: _SIZE.start] + size + header[_SIZE.stop :] + contents + b"\n" * (len(contents) % 2)
        )
    for at, contents in indexes:
        output.seek(at)
        output.write(_moved_index(contents, moved))
