"""What became of each program, and the table of it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bareflow.conformance.programs import Program

PASSED, FAILED, REFUSED, NOT_APPLICABLE = "passed", "failed", "refused", "not applicable"
VERDICTS = (PASSED, FAILED, REFUSED, NOT_APPLICABLE)


@dataclass(frozen=True)
class Verdict:
    """One program's."""

    suite: str
    program: str
    what: str
    reason: str = ""
    """Of a failure: the policies, and how each run has ended."""

    def line(self) -> str:
        return "\t".join([self.suite, self.program, self.what, self.reason])


def verdict_on(program: Program, what: str, reason: str = "") -> Verdict:
    """On a program."""
    return Verdict(program.suite, program.name, what, reason)


def counts(verdicts: Iterable[Verdict], suites: Sequence[str]) -> list[list[str]]:
    """The table's rows: suite, programs, and how many have each verdict."""
    by_suite: dict[str, Counter[str]] = {suite: Counter() for suite in suites}
    for verdict in verdicts:
        by_suite[verdict.suite][verdict.what] += 1
    return [
        [suite, str(found.total()), *(str(found[what]) for what in VERDICTS)]
        for suite, found in by_suite.items()
        if found
    ]


def reasons(verdicts: Iterable[Verdict], what: str) -> list[tuple[str, int]]:
    """How often each reason is given for a verdict, the most frequent first."""
    return Counter(verdict.reason for verdict in verdicts if verdict.what == what).most_common()
