"""Runs a bench: measures its cases one after the other and prints their tables.

    python -m bareflow.bench.driver NAME key=value...

Tables go to standard output, each as soon as it is measured; what a case complains of, and how the bench gets
on, to standard error. The status is 1 when a case complains or cannot be measured. With page=FILE and
command=TEXT the tables are also written to a page (bareflow.bench.page), unless a case complains.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bareflow import program
from bareflow.bench import (
    disk_cases,
    guest_cases,
    linux_cases,
    linux_program_cases,
    llama_cases,
    program_cases,
    reference_errors,
    successor_cases,
    width_cases,
)
from bareflow.bench.case import Case
from bareflow.bench.page import load, write_page
from bareflow.qemu.guest import GuestError

BENCHES: dict[str, Callable[[Mapping[str, str]], Iterable[Case[Any]]]] = {
    "boot": guest_cases.boot_bench,
    "disks": disk_cases.disk_bench,
    "gguf_errors": reference_errors.reference_bench,
    "gguf_speed": llama_cases.llama_bench,
    "jit": guest_cases.jit_bench,
    "linux": width_cases.width_bench,
    "linux_jit": linux_cases.jit_bench,
    "linux_program": linux_program_cases.linux_program_bench,
    "linux_successor": successor_cases.linux_successor_bench,
    "program": program_cases.program_bench,
    "successor": successor_cases.successor_bench,
}
"""What makes the cases, of the files and options on the command line."""


def main(argv: Sequence[str]) -> int:
    """Runs the bench that argv names; returns the exit status."""
    name, *pairs = argv
    options = dict(pair.split("=", 1) for pair in pairs)
    page, command = options.pop("page", ""), options.pop("command", "")
    before = load()
    wrong: list[str] = []
    printed: list[str] = []
    try:
        for case in BENCHES[name](options):
            tables, complaints = case.run()
            for table in tables:
                print("\n" * bool(printed) + table, flush=True)
                printed.append(table)
            wrong += complaints
    except GuestError as error:
        wrong.append(str(error))
    for complaint in wrong:
        print(f"bench: {complaint}", file=sys.stderr)
    if page and not wrong:
        write_page(page, name, printed, command, before)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(program.call("bench", main, sys.argv[1:]))
