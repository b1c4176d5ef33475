"""What `./bareflow conformance` does: programs of others in `full`, on every level, next to this machine's.

    python -m bareflow.conformance.conformance key=value ...

A program passes when its standard output and exit status under each policy (execution.py) are those of the
same source compiled for this machine without optimisation. Each run is a process of its own with a limit of
processor time; there are jobs= at a time. Verdicts are written in the programs' order, as
they come: one line a program, `verdicts.tsv` in the folder. The status is 1 when a program failed.
"""

import random
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bareflow import program as outside
from bareflow.conformance import programs
from bareflow.conformance.execution import POLICIES, run_linux, run_qemu
from bareflow.conformance.prepared import Prepared, prepare
from bareflow.conformance.programs import Program
from bareflow.conformance.sources import read_sources
from bareflow.conformance.toolchain import Toolchain
from bareflow.conformance.verdicts import (
    FAILED,
    NOT_APPLICABLE,
    PASSED,
    REFUSED,
    VERDICTS,
    Verdict,
    counts,
    reasons,
    verdict_on,
)
from bareflow.libc.source import load_pin
from bareflow.models.user_cache import user_cache
from bareflow.source_package import folder_of

SAMPLE_SEED = 17


def _say(text: str) -> None:
    print(f"           {text}", file=sys.stderr, flush=True)


def all_programs(top: Path, folder: Path, csmith_programs: int) -> list[Program]:
    """All suites' programs; fetches what is missing."""
    given = read_sources(top / "tests/conformance/sources.toml", top / "llvm-libc/source.toml")
    at = {name: folder_of(f"conformance-{name}", each, user_cache(), _say) for name, each in given.items()}
    generated = folder / "csmith"
    generated.mkdir(parents=True, exist_ok=True)
    functions = load_pin(top / "llvm-libc").for_programs
    found = [
        *programs.torture(at["gcc"] / given["gcc"].parts[0]),
        *programs.llvm_ir(at["llvm"] / given["llvm"].parts[0]),
        *programs.libc_tests(at["llvm"] / "libc", functions, top / "tests/conformance/libc"),
        *programs.csmith(csmith_programs, generated),
    ]
    return programs.excluded(found, top / "tests/conformance/exclusions.toml")


class Judge:
    """Runs programs and says what became of them. image: the disk image to boot; None: the Linux program."""

    def __init__(self, toolchain: Toolchain, full: Path, image: Path | None, policies: Sequence[str]) -> None:
        self._toolchain, self._full, self._image = toolchain, full, image
        self._policies = policies

    def judge(self, program: Program, folder: Path) -> Verdict:
        """folder: an empty one, for this program."""
        (folder / "profile").mkdir()
        prepared = prepare(self._toolchain, program, folder)
        if isinstance(prepared, Verdict):
            return prepared
        complaints = (self._complaint(prepared, policy) for policy in self._policies)
        bad = [complaint for complaint in complaints if complaint]
        return verdict_on(program, FAILED, "; ".join(bad)) if bad else verdict_on(program, PASSED)

    def _complaint(self, prepared: Prepared, policy: str) -> str:
        settings = POLICIES[policy]
        if self._image:
            got = run_qemu(self._image, prepared.bitcode, settings)
        else:
            got = run_linux(self._full, prepared.bitcode, settings)
        if prepared.is_right(got):
            return ""
        last = ((got.output or b"").decode(errors="replace").strip().splitlines() or [""])[-1][:120]
        return f"{policy}: {'hung' if got.hung else f'status {got.status}'} {last!r}"


def _verdicts(judge: Judge, chosen: Sequence[Program], folder: Path, jobs: int) -> Iterator[Verdict]:
    for left in folder.glob("shared-*.bc"):
        left.unlink()  # of an earlier compiler

    def verdict_of(program: Program) -> Verdict:
        temporary = Path(tempfile.mkdtemp(dir=folder))
        try:
            return judge.judge(program, temporary)
        finally:
            shutil.rmtree(temporary)

    with open(folder / "verdicts.tsv", "w") as log, ThreadPoolExecutor(jobs) as pool:
        for number, verdict in enumerate(pool.map(verdict_of, chosen), 1):
            log.write(verdict.line() + "\n")
            log.flush()
            if verdict.what == FAILED:
                _say(f"{number}/{len(chosen)} {verdict.line()}")
            yield verdict


def _print_table(verdicts: Sequence[Verdict]) -> None:
    print(f"| suite | programs | {' | '.join(VERDICTS)} |\n|---|{'---:|' * (1 + len(VERDICTS))}")
    for row in counts(verdicts, programs.SUITES):
        print(f"| {' | '.join(row)} |")
    for what in (REFUSED, NOT_APPLICABLE):
        print(f"\n{what}:")
        for reason, number in reasons(verdicts, what):
            print(f"{number:5} {reason}")


def main(argv: Sequence[str]) -> int:
    """See above; returns the exit status."""
    given = dict(argument.split("=", 1) for argument in argv)
    folder = Path(given["folder"])
    chosen = all_programs(Path(given["top"]), folder, int(given["programs"]))
    chosen = [each for each in chosen if re.search(given["only"], f"{each.suite}/{each.name}")]
    image = Path(given["image"]) if "image" in given else None
    if image:
        runnable = [each for each in chosen if not each.not_applicable]
        chosen = random.Random(SAMPLE_SEED).sample(runnable, min(len(runnable), int(given["sample"])))
    policies = ["default"] if image else list(POLICIES)
    judge = Judge(Toolchain.read(Path(given["toolchain"])), Path(given["full"]), image, policies)
    verdicts = list(_verdicts(judge, chosen, folder, int(given["jobs"])))
    _print_table(verdicts)
    return 1 if any(verdict.what == FAILED for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(outside.call("conformance", main, sys.argv[1:]))
