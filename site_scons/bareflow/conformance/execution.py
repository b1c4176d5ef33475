"""One process for each run of a program, with a limit of processor time."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SECONDS, INTERPRETED_SECONDS = 60, 300
"""Of processor time that a run may take: on a busy machine it is the same. What takes 0.1 s without
optimisation may be interpreted for 100 s."""
WALL_SECONDS = 1200.0
PROGRAM_NAME = "conformance"

POLICIES: dict[str, dict[str, str]] = {
    "interpreter": {"jit.max_level": "interpreter", "jit.interpret_loops": "1000", "jit.budget": "0"},
    "O0": {"jit.tier0": "O0", "jit.max_level": "O0"},
    "O1": {"jit.tier0": "O1", "jit.max_level": "O1"},
    "O2": {"jit.tier0": "O2", "jit.max_level": "O2"},
    "O3": {"jit.tier0": "O3", "jit.max_level": "O3"},
    "specialised": {"jit.thresholds": "1,1,2,3", "jit.budget": "100"},
    "default": {},
}
"""Settings by the name of what they make of a program: all of it on one level; every level after a few calls,
with clones for the arguments seen; as it comes."""


@dataclass(frozen=True)
class Outcome:
    """How a run has ended."""

    status: int
    """Negative: by a signal."""
    output: bytes | None
    """None: it is another one each time, such as an address."""
    errors: str = ""
    hung: bool = False

    def agrees_with(self, other: "Outcome") -> bool:
        """The same status, and the same output where both have one that means something."""
        outputs_agree = None in (self.output, other.output) or self.output == other.output
        return self.status == other.status and outputs_agree


_LIMITED = 'ulimit -c 0; ulimit -S -t {soft}; ulimit -H -t {hard}; exec -a "$0" "$@"'
"""For bash; what runs several programs at a time has threads, in which no Python runs after a fork."""


def execute(
    command: list[str], folder: Path, *, name: str = "", path: str = "", seconds: int = SECONDS
) -> Outcome:
    """Runs a command in a folder. name: its first argument, if not the command's; path: of Python modules;
    seconds: of processor time."""
    limited = _LIMITED.format(soft=seconds, hard=seconds + 5)
    try:
        result = subprocess.run(
            ["bash", "-c", limited, name or command[0], *command],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Outcome(-signal.SIGALRM, b"", hung=True)
    hung = result.returncode in (-signal.SIGXCPU, -signal.SIGKILL)
    return Outcome(result.returncode, result.stdout, result.stderr.decode(errors="replace"), hung)


def _settings(values: dict[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in values.items()]


def limit_of(policy: dict[str, str]) -> int:
    """Seconds of processor time that a run under a policy may take."""
    return INTERPRETED_SECONDS if policy.get("jit.max_level") == "interpreter" else SECONDS


def run_linux(full: Path, bitcode: Path, policy: dict[str, str]) -> Outcome:
    """Runs bitcode in `full` as a Linux program, whose disk is the bitcode's folder."""
    folder = bitcode.parent
    settings = {"root": str(folder), "bitcode": f"/{bitcode.name}", **policy}
    return execute([str(full), *_settings(settings)], folder, seconds=limit_of(policy))


def run_qemu(image: Path, bitcode: Path, policy: dict[str, str]) -> Outcome:
    """Runs it in `full` on a copy of its disk image."""
    copy = bitcode.parent / "disk.img"
    copy.write_bytes(image.read_bytes())
    subprocess.run(["mcopy", "-i", f"{copy}@@1M", str(bitcode), "::/PROGRAM.BC"], check=True)
    config = "\n".join(_settings({"bitcode": "/PROGRAM.BC", **policy}))
    command = [sys.executable, "-m", "bareflow.run.run", f"image={copy}", "program=1", f"config={config}"]
    top = Path(__file__).resolve().parents[2]
    outcome = execute(command, bitcode.parent, path=str(top))
    copy.unlink()
    return outcome
