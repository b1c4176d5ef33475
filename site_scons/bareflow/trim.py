"""Trims the objects and archives of a link: copies of them in which dead functions are stubs.

A program of its own, because it works in several processes; called by the SCons tool `trim`:

    python -m bareflow.trim JOB    (a JSON file, see trim_job.py)

The link map of the untrimmed link says which members of an archive took part; the others are copied as they
are.
"""

import multiprocessing
import os
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import lief

from .archive import members, replace_members
from .coverage_file import CoveredFunction, merge_coverage, read_coverage
from .dead_functions import DeadFunctions
from .errors import BareFlowError
from .link_map import file_name, read_map
from .name_tables import for_file as names_of
from .name_tables import shorten_names
from .removed import Removed, write_removed
from .removed_data import for_file as data_of
from .removed_data import remove_data, without_constructors
from .shared_entries import for_file, share_entries
from .trim_job import Job, is_archive, output_of
from .trim_object import Stub, TrimError, trim_object

PROCESSES = 2

_functions = DeadFunctions([])
_linked: frozenset[str] = frozenset()
_misses: frozenset[str] = frozenset()


def coverage_of(paths: Iterable[str]) -> list[CoveredFunction]:
    """The merged contents of coverage files. Ids of stubs are places in it, from 1.

    By symbol, because names that follow each other in the table of names should be alike.
    """
    merged = merge_coverage(read_coverage(Path(path).read_text(), path) for path in paths)
    return sorted(merged, key=lambda function: (function.symbol, function.file, function.section))


def names_in(paths: Iterable[str]) -> set[str]:
    """The names in files that hold one a line."""
    return {name for path in paths for line in Path(path).read_text().splitlines() if (name := line.strip())}


def _trim_contents(
    job: Job, contents: bytes, file: str, *, weak_only: bool = False
) -> tuple[bytes, list[Stub], list[Removed]]:
    """An object, trimmed; its stubs, and what else was removed."""
    contents, stubs = trim_object(contents, file, _functions, weak_only=weak_only)
    for table in for_file(job.shared, file):
        contents = share_entries(contents, table)
    for names in names_of(job.name_tables, file):
        contents = shorten_names(contents, names)
    removed: list[Removed] = []
    if data := data_of(job.removed_data, file, _misses):
        contents, removed = remove_data(contents, file, data)
    if file in job.unconstructed:
        contents = without_constructors(contents, file)
    return contents, stubs, removed


def _trim_archive(job: Job, source: str, target: Path) -> tuple[list[Stub], list[Removed]]:
    archive = Path(source).read_bytes()
    linked = {
        member.offset: member
        for member in members(archive)
        if file_name(f"{source}({member.name})") in _linked
    }
    stubs: list[Stub] = []
    removed: list[Removed] = []

    def trimmed(offset: int) -> bytes | None:
        member = linked.get(offset)
        if member is None:
            return None
        file = file_name(f"{source}({member.name})")
        contents, found, data = _trim_contents(job, archive[offset : offset + member.size], file)
        stubs.extend(found)
        removed.extend(data)
        return contents

    with open(target, "wb") as output:
        replace_members(archive, output, trimmed)
    return stubs, removed


def _trim_file(job: Job, source: str) -> tuple[list[Stub], list[Removed]]:
    target = Path(output_of(job, source))
    target.parent.mkdir(parents=True, exist_ok=True)
    if is_archive(source):
        return _trim_archive(job, source, target)
    name = os.path.relpath(source, job.folder)
    contents, stubs, removed = _trim_contents(job, Path(source).read_bytes(), name, weak_only=True)
    target.write_bytes(contents)
    return stubs, removed


def _check_names(job: Job) -> None:
    """The map's names of members have no folders, so that two archives of one name would be one."""
    outputs = [output_of(job, source) for source in job.inputs]
    twice = {name for name in outputs if outputs.count(name) > 1}
    if twice:
        raise TrimError(f"several inputs of the link have the same name: {', '.join(sorted(twice))}")


def trim(job: Job) -> list[Removed]:
    """Writes the trimmed inputs; the result is in the order of the ids."""
    global _functions, _linked, _misses
    _check_names(job)
    coverage = coverage_of(job.coverage)
    _misses = frozenset(names_in(job.misses))
    _functions = DeadFunctions(coverage, _misses, job.whole, job.by_chance)
    with open(job.map) as lines:
        _linked = frozenset(section.file for section in read_map(lines))
    # Forked, so that all have the coverage; the largest files first, so that none is late.
    inputs = sorted(job.inputs, key=lambda path: -os.path.getsize(path))
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        done = list(pool.imap_unordered(partial(_trim_file, job), inputs))
    removed = [
        Removed(stub.id, stub.size, stub.file, stub.section, coverage[stub.id - 1].symbol)
        for stubs, _ in done
        for stub in stubs
    ]
    removed += [variable for _, data in done for variable in data]
    return sorted(removed, key=lambda entry: (entry.id, entry.file, entry.section))


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
