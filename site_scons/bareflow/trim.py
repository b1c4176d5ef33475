"""Trims the objects and archives of a link: copies of them in which dead functions are stubs.

A program of its own, because it works in several processes; called by the SCons tool `trim`:

    python -m bareflow.trim JOB    (a JSON file with the fields of Job)

The link map of the untrimmed link says which members of an archive took part; the others are copied as they
are.
"""

import json
import multiprocessing
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import lief

from .archive import members, replace_members
from .coverage_file import CoveredFunction, merge_coverage, read_coverage
from .dead_functions import DeadFunctions
from .errors import BareFlowError
from .link_map import file_name, read_map
from .removed import Removed, write_removed
from .shared_entries import for_file, share_entries
from .trim_object import Stub, TrimError, trim_object
from .variant import SharedEntries


@dataclass(frozen=True)
class Job:
    """What to trim by what. Paths."""

    coverage: list[str]
    misses: list[str]
    """Files with names of functions to keep, one a line."""
    map: str
    inputs: list[str]
    """Objects and archives; of objects only copies of inline functions are trimmed, the rest is ours."""
    folder: str
    """The objects' names in map and coverage are relative to this one."""
    output: str
    """A folder for the trimmed inputs: objects under the same names, archives without their folders."""
    removed: str
    """The table of what was removed (bareflow/removed.py), to be written."""
    shared: list[SharedEntries] = field(default_factory=list)
    """Tables in archives, all of whose entries lead to the same thing afterwards."""

    @classmethod
    def read(cls, text: str) -> "Job":
        """A job from JSON."""
        fields = json.loads(text)
        return cls(**fields | {"shared": [SharedEntries(**table) for table in fields["shared"]]})


PROCESSES = 2

_functions = DeadFunctions([])
_linked: frozenset[str] = frozenset()


def coverage_of(paths: Iterable[str]) -> list[CoveredFunction]:
    """The merged contents of coverage files. Ids of stubs are places in it, from 1.

    By symbol, because names that follow each other in the table of names should be alike.
    """
    merged = merge_coverage(read_coverage(Path(path).read_text(), path) for path in paths)
    return sorted(merged, key=lambda function: (function.symbol, function.file, function.section))


def names_in(paths: Iterable[str]) -> set[str]:
    """The names in files that hold one a line."""
    return {name for path in paths for line in Path(path).read_text().splitlines() if (name := line.strip())}


def _trim_archive(job: Job, source: str, target: Path) -> list[Stub]:
    archive = Path(source).read_bytes()
    linked = {
        member.offset: member
        for member in members(archive)
        if file_name(f"{source}({member.name})") in _linked
    }
    stubs: list[Stub] = []

    def trimmed(offset: int) -> bytes | None:
        member = linked.get(offset)
        if member is None:
            return None
        file = file_name(f"{source}({member.name})")
        contents, found = trim_object(archive[offset : offset + member.size], file, _functions)
        stubs.extend(found)
        for table in for_file(job.shared, file):
            contents = share_entries(contents, table)
        return contents

    with open(target, "wb") as output:
        replace_members(archive, output, trimmed)
    return stubs


def _trim_file(job: Job, source: str) -> list[Stub]:
    target = Path(output_of(job, source))
    target.parent.mkdir(parents=True, exist_ok=True)
    if is_archive(source):
        return _trim_archive(job, source, target)
    name = os.path.relpath(source, job.folder)
    trimmed, stubs = trim_object(Path(source).read_bytes(), name, _functions, weak_only=True)
    target.write_bytes(trimmed)
    return stubs


def is_archive(path: str) -> bool:
    """By its name, for the file need not exist yet."""
    return path.endswith(".a")


def output_of(job: Job, source: str) -> str:
    """Where the trimmed copy of an input goes."""
    name = os.path.basename(source) if is_archive(source) else os.path.relpath(source, job.folder)
    return os.path.join(job.output, name)


def _check_names(job: Job) -> None:
    """The map's names of members have no folders, so that two archives of one name would be one."""
    outputs = [output_of(job, source) for source in job.inputs]
    twice = {name for name in outputs if outputs.count(name) > 1}
    if twice:
        raise TrimError(f"several inputs of the link have the same name: {', '.join(sorted(twice))}")


def trim(job: Job) -> list[Removed]:
    """Writes the trimmed inputs; the result is in the order of the ids."""
    global _functions, _linked
    _check_names(job)
    coverage = coverage_of(job.coverage)
    _functions = DeadFunctions(coverage, names_in(job.misses))
    with open(job.map) as lines:
        _linked = frozenset(section.file for section in read_map(lines))
    # Forked, so that all have the coverage; the largest files first, so that none is late.
    inputs = sorted(job.inputs, key=lambda path: -os.path.getsize(path))
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        stubs = [stub for found in pool.imap_unordered(partial(_trim_file, job), inputs) for stub in found]
    return [
        Removed(stub.id, stub.size, stub.file, stub.section, coverage[stub.id - 1].symbol)
        for stub in sorted(stubs, key=lambda stub: (stub.id, stub.file, stub.section))
    ]


def main(arguments: list[str]) -> int:
    """The program; the result is its exit code."""
    lief.logging.disable()
    try:
        job = Job.read(Path(arguments[0]).read_text())
        Path(job.removed).write_text(write_removed(trim(job)))
    except BareFlowError as error:
        print(f"bareflow: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
