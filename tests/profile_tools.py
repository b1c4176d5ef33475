"""Reads /profile/JIT.PRF and JIT.OBJ as kernel_lib/jit/store/profile_file.h and object_cache.h describe them,
and has the file system around them checked by dosfstools."""

from __future__ import annotations

import io
import re
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

from bareflow.disk.generations import sibling
from bareflow.kernel.symbol_table import symbol_table
from disk_tools import PARTITION_OFFSET, DiskImage
from elftools.elf.elffile import ELFFile
from sparse_copy import copy_sparse

PROFILE_PATH = "/profile/JIT.PRF"
CACHE_PATH = "/profile/JIT.OBJ"
MARK_PATH = "/profile/JIT.RUN"
_CRC_LINE = re.compile(rb"crc ([0-9a-f]{8})\n")
_HEAD = "<8s32s32sI"
_OBJECT = "<8I"
# What a power cut may leave behind (kernel_lib/storage/fat/fat.h): clusters that no file owns, and copies
# of the FAT of which the second is not yet like the first.
_AFTER_A_CUT = re.compile(r"Reclaimed \d+ unused clusters?|FATs differ but appear to be intact")


@dataclass(frozen=True)
class Profile:
    build: str
    cpu: str
    boots: int
    calls: dict[str, int]
    """By function."""
    lines: list[str]


def read_profile(disk: DiskImage) -> Profile:
    """The profile on a disk, its checksum compared with zlib's."""
    data = disk.newest(PROFILE_PATH)
    match = _CRC_LINE.fullmatch(data[-13:])
    assert match is not None, data[-100:]
    assert int(match[1], 16) == zlib.crc32(data[:-13])
    lines = data.decode().splitlines()[:-1]
    assert lines[0] == "bareflow jit profile 1"
    head = dict(line.split(" ", 1) for line in lines[1:4])
    words = [line.split(" ") for line in lines if line.startswith("function ")]
    calls = {word[1]: int(word[3]) for word in words}
    return Profile(head["build"], head["cpu"], int(head["boots"].split()[0]), calls, lines)


def profile_times(text: str) -> tuple[dict[str, int], dict[str, float]]:
    """The calls of each function in a profile's text, and the cycles that all of them would take on the
    highest level that was timed."""
    calls: dict[str, int] = {}
    times: dict[str, float] = {}
    for line in text.splitlines():
        words = line.split(" ")
        if words[0] == "function":
            name = words[1]
            calls[name] = int(words[3])
        elif words[0] == "times" and int(words[3]) > 0:  # in ascending order of levels
            times[name] = int(words[5]) / int(words[3]) * calls[name]
    return calls, times


@dataclass(frozen=True)
class CachedObject:
    function: str
    body: str
    level: int
    specialised: bool
    shape: int
    tuples: list[tuple[int, ...]]
    content: bytes


def read_cache(disk: DiskImage) -> dict[str, CachedObject]:
    """The object cache on a disk, by function; its checksum compared with zlib's."""
    data = disk.newest(CACHE_PATH)
    assert zlib.crc32(data[:-4]) == int.from_bytes(data[-4:], "little")
    signature, _, _, count = struct.unpack_from(_HEAD, data)
    assert signature == b"BFJITOB1"
    at = struct.calcsize(_HEAD)
    found = {}

    def take(size: int) -> bytes:
        nonlocal at
        at += size
        return data[at - size : at]

    for _ in range(count):
        head = struct.unpack(_OBJECT, take(struct.calcsize(_OBJECT)))
        name_size, body_size, size, level, specialised, shape, arguments, tuple_count = head
        tuples = [struct.unpack(f"<{arguments + 1}Q", take(8 * arguments + 8)) for _ in range(tuple_count)]
        name, body = take(name_size).decode(), take(body_size).decode()
        assert name not in found, f"{name} is in the cache twice"
        found[name] = CachedObject(name, body, level, bool(specialised), shape, tuples, take(size))
    assert at == len(data) - 4
    return found


def space_taken(image: Path, sizes: list[int]) -> int:
    """Bytes of whole clusters that files of these sizes take."""
    with image.open("rb") as file:
        file.seek(PARTITION_OFFSET + 13)  # sectors a cluster (FAT specification 1.03, section 3.1)
        cluster = file.read(1)[0] * 512
    return sum(-(-size // cluster) * cluster for size in sizes)


def fsck(image: Path, folder: Path) -> list[str]:
    """What fsck.fat has to say against an image's partition; empty when all is well."""
    partition = folder / "partition.img"
    copy_sparse(image, partition, PARTITION_OFFSET)
    command = ["/usr/sbin/fsck.fat", "-n", str(partition)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    lines = [line.strip() for line in (result.stdout + result.stderr).splitlines()[1:]]
    return [line for line in lines if not line.startswith(str(partition))] if result.returncode else []


def beyond_a_cut(complaints: list[str]) -> list[str]:
    """Of what fsck says, all that a power cut must not have done."""
    harmless = (
        "Leaving filesystem unchanged",
        "Using first FAT",
        "1) Use first FAT",
        "2) Use second FAT",
        "Free cluster summary uninitialized",  # FAT32
    )
    return [
        line
        for line in complaints
        if line and not _AFTER_A_CUT.search(line) and not line.startswith(harmless)
    ]


def _entry_of(code: bytes) -> int:
    """Where in an object file the code begins that calls of its function reach."""
    elf = ELFFile(io.BytesIO(code))
    entry = next(symbol for symbol in symbol_table(elf) if symbol.name == "jit_entry")
    return int(elf.get_section(entry.section)["sh_offset"] + entry.value)


def spoil_cache(disk: DiskImage, code: bytes) -> None:
    """Makes every object in the cache begin with `code`, and the checksum right again; no other generation
    is left."""
    data = disk.newest(CACHE_PATH)
    for cached in read_cache(disk).values():
        at = _entry_of(cached.content)
        spoilt = cached.content[:at] + code + cached.content[at + len(code) :]
        assert data.count(cached.content) == 1
        data = data.replace(cached.content, spoilt)
    disk.delete(sibling(CACHE_PATH))
    disk.write(CACHE_PATH, data[:-4] + zlib.crc32(data[:-4]).to_bytes(4, "little"))
