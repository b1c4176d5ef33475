"""Trims the archives of a link: makes copies in which dead functions are trap stubs.

It is a program of its own, because it works in several processes. The SCons tool `trim` calls it:

    python -m bareflow.trim.trim JOB    (a JSON file: job.py)

The link map of the untrimmed link says which members of an archive were linked. The others are copied
unchanged.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import lief

from bareflow import program
from bareflow.coverage.coverage_file import CoveredFunction, merge_coverage, read_coverage
from bareflow.errors import BareFlowError
from bareflow.kernel.archive import members, replace_members
from bareflow.kernel.link_map import file_name, read_map
from bareflow.trim.dead_functions import DeadFunctions
from bareflow.trim.job import Job, output_of
from bareflow.trim.removed import Emptied, Removed, write_emptied, write_removed
from bareflow.trim.removed_data import for_file, remove_data, without_constructors
from bareflow.trim.trim_object import Stub, TrimError, trim_object
from bareflow.trim.workers import fork_workers

_functions = DeadFunctions([])
_linked: frozenset[str] = frozenset()
_misses: frozenset[str] = frozenset()


def coverage_of(paths: Iterable[str]) -> list[CoveredFunction]:
    """The merged contents of coverage files. Ids of trap stubs are places in it, from 1.

    It is sorted by symbol, because the table of names compresses better if neighbours are alike.
    """
    merged = merge_coverage(read_coverage(Path(path).read_text(), path) for path in paths)
    return sorted(merged, key=lambda function: (function.symbol, function.file, function.section))


def names_in(paths: Iterable[str]) -> set[str]:
    """The names in files that hold one a line."""
    return {name for path in paths for line in Path(path).read_text().splitlines() if (name := line.strip())}


@dataclass
class _Gone:
    """What was removed of an archive or its member."""

    stubs: list[Stub] = field(default_factory=list)
    data: list[Removed] = field(default_factory=list)
    emptied: list[Emptied] = field(default_factory=list)

    def extend(self, other: "_Gone") -> None:
        self.stubs += other.stubs
        self.data += other.data
        self.emptied += other.emptied


def _trim_contents(job: Job, contents: bytes, file: str) -> tuple[bytes, _Gone]:
    """An object, trimmed."""
    contents, stubs, emptied = trim_object(contents, file, _functions)
    removed: list[Removed] = []
    if data := for_file(job.trimming.removed_data, file, _misses):
        contents, removed = remove_data(contents, file, data)
    if file in job.trimming.unconstructed:
        contents = without_constructors(contents, file)
    return contents, _Gone(stubs, removed, emptied)


def _trim_archive(job: Job, source: str) -> _Gone:
    archive = Path(source).read_bytes()
    linked = {
        member.offset: member
        for member in members(archive)
        if file_name(f"{source}({member.name})") in _linked
    }
    gone = _Gone()

    def trimmed(offset: int) -> bytes | None:
        member = linked.get(offset)
        if member is None:
            return None
        file = file_name(f"{source}({member.name})")
        contents, found = _trim_contents(job, archive[offset : offset + member.size], file)
        gone.extend(found)
        return contents

    with open(output_of(job, source), "wb") as output:
        replace_members(archive, output, trimmed)
    return gone


def _check_names(job: Job) -> None:
    """Two archives must not have one name: the map's names of members have no folders."""
    outputs = [output_of(job, archive) for archive in job.archives]
    twice = {name for name in outputs if outputs.count(name) > 1}
    if twice:
        raise TrimError(f"several archives have the same name: {', '.join(sorted(twice))}")


def trim(job: Job) -> tuple[list[Removed], list[Emptied]]:
    """Writes the trimmed archives. Returns what was removed, in the order of the ids, and the functions that
    lost parts."""
    global _functions, _linked, _misses
    _check_names(job)
    coverage = coverage_of(job.coverage)
    _misses = frozenset(names_in(job.misses))
    _functions = DeadFunctions(coverage, job.trimming, _misses)
    with open(job.map) as lines:
        _linked = frozenset(section.file for section in read_map(lines))
    Path(job.output).mkdir(parents=True, exist_ok=True)
    # The largest files come first, so that no process ends late.
    archives = sorted(job.archives, key=lambda path: -os.path.getsize(path))
    with fork_workers() as pool:
        gone = _Gone()
        for found in pool.map(partial(_trim_archive, job), archives):
            gone.extend(found)
    removed = [
        Removed(stub.id, stub.size, stub.file, stub.section, coverage[stub.id - 1].symbol)
        for stub in gone.stubs
    ]
    removed += gone.data
    emptied = sorted(gone.emptied, key=lambda entry: (entry.file, entry.section))
    return sorted(removed, key=lambda entry: (entry.id, entry.file, entry.section)), emptied


def main(arguments: Sequence[str]) -> int:
    """The program; the result is its exit code."""
    lief.logging.disable()
    try:
        job = Job.read(Path(arguments[0]).read_text())
        removed, emptied = trim(job)
        Path(job.removed).write_text(write_removed(removed))
        Path(job.emptied).write_text(write_emptied(emptied))
    except BareFlowError as error:
        print(f"bareflow: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(program.call("bareflow", main, sys.argv[1:]))
