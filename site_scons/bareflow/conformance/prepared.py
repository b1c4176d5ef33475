"""A program made ready to run in `full`, with what is expected of it; or the reason why it is not run."""

from dataclasses import dataclass, replace
from pathlib import Path

from bareflow.conformance.execution import PROGRAM_NAME, Outcome, execute
from bareflow.conformance.programs import CSMITH, LIBC, TORTURE, Program, generate
from bareflow.conformance.toolchain import NotCompiled, Toolchain, host_program
from bareflow.conformance.verdicts import NOT_APPLICABLE, REFUSED, Verdict, verdict_on

HOST_SECONDS, CSMITH_SECONDS = 5, 1
"""Of processor time on this machine; csmith's programs need not end, and interpreted ones take longer."""
ALL_PASSED = b" FAIL: 0\n"
"""What the framework of LLVM-libc's tests says in the end."""


@dataclass(frozen=True)
class Prepared:
    """What `full` can run."""

    bitcode: Path
    wanted: Outcome | None
    """How it ends on this machine; None: its own checks say."""

    def is_right(self, got: Outcome) -> bool:
        """Whether a run has ended as it should."""
        if self.wanted:
            return got.agrees_with(self.wanted)
        return got.status == 0 and ALL_PASSED in (got.output or b"")


def prepare(toolchain: Toolchain, program: Program, folder: Path) -> Prepared | Verdict:
    """Compiles a program twice, for this machine, where it runs, and to bitcode in the folder."""
    if program.not_applicable:
        return verdict_on(program, NOT_APPLICABLE, program.not_applicable)
    if program.suite == CSMITH:
        generate(program)
    try:
        wanted = _wanted(program, folder)
    except NotCompiled as error:
        return verdict_on(program, NOT_APPLICABLE, f"clang: {error}")
    if isinstance(wanted, str):
        return verdict_on(program, NOT_APPLICABLE, wanted)
    try:
        bitcode = toolchain.bitcode(program, folder)
    except NotCompiled as error:
        return verdict_on(program, REFUSED, f"clang: {error}")
    if refusal := toolchain.refusal(bitcode):
        return verdict_on(program, REFUSED, refusal)
    return Prepared(bitcode, wanted)


def _wanted(program: Program, folder: Path) -> Outcome | str | None:
    """How it ends on this machine; a reason why that says nothing; None: its own checks say."""
    if program.suite == LIBC:
        return None
    command = [str(host_program(program, folder))]
    seconds = CSMITH_SECONDS if program.suite == CSMITH else HOST_SECONDS
    outcome = execute(command, folder, name=PROGRAM_NAME, seconds=seconds)
    if outcome.hung:
        return "takes too long on this machine"
    if outcome.status < 0 or (program.suite == TORTURE and outcome.status):
        return f"clang's program without optimisation ends with status {outcome.status}"
    again = execute(command, folder, name=PROGRAM_NAME)
    return outcome if outcome.agrees_with(again) else replace(outcome, output=None)
