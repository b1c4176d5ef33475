"""The Linux program, run in a folder of its own, which takes the disk's place: stories told again and again,
measurements, and the files that a story leaves."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from bareflow.errors import BareFlowError
from bareflow.events import Event, parse_event

FILES = {"ids": "/profile/IDS.TXT", "logits": "/profile/LOGITS.F32"}
LIMIT = 600.0
"""Seconds after which a run counts as hung."""


class LinuxRunError(BareFlowError):
    """The program ended with an error, or did not report what it should have."""


@dataclass
class Stories:
    """One run in which the same story was told several times."""

    rates: list[float] = field(default_factory=list)
    """Of each story, in tokens per second."""
    events: list[Event] = field(default_factory=list)

    @property
    def costs(self) -> Event:
        """What the JIT did and took until the end; empty where there is none."""
        return ([event for event in self.events if event["event"] == "jit"] or [{}])[-1]


def make_root(root: Path, model: Path, tokenizer: Path) -> Path:
    """A folder for runs with this model. What is in it already stays, but for the model."""
    for name in ("model", "profile"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "model" / "model.bin").write_bytes(model.read_bytes())
    (root / "model" / "tokenizer.bin").write_bytes(tokenizer.read_bytes())
    return root


def _command(program: Path, root: Path, config: Mapping[str, object]) -> list[str]:
    return [str(program), *(f"{key}={value}" for key, value in {"root": root, **config}.items())]


def _complaint(program: Path, status: int | None, output: str) -> LinuxRunError:
    last = (output.strip().splitlines() or ["it printed nothing"])[-1]
    return LinuxRunError(f"{program} ended with status {status}: {last}")


def run(program: Path, root: Path, config: Mapping[str, object]) -> tuple[str, list[Event]]:
    """Runs the program to its end; what it printed, and its events."""
    result = subprocess.run(
        _command(program, root, config),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )
    output = result.stdout.decode(errors="replace")
    lines = result.stderr.decode(errors="replace").splitlines()
    if result.returncode:
        raise _complaint(program, result.returncode, output or "\n".join(lines))
    return output, [event for event in map(parse_event, lines) if event]


def record(program: Path, root: Path, config: Mapping[str, object]) -> tuple[bytes, bytes]:
    """Tells one story; its tokens' ids and its logits as they are in memory."""
    run(program, root, {"mode": "generate", "temperature": 0, **FILES, **config})
    ids, logits = ((root / path.lstrip("/")).read_bytes() for path in FILES.values())
    return ids, logits


def measure_products(program: Path, root: Path, config: Mapping[str, object]) -> dict[str, float]:
    """Cycles of a product with each matrix of the model, by its name: the least."""
    _, events = run(program, root, {"mode": "bench", "steps": 1, "temperature": 0, **config})
    return {event["matrix"]: float(event["min"]) for event in events if "matrix" in event}


def _tell(process: subprocess.Popen[str], told: Stories, prompt: str) -> None:
    """Has one story told; the caller sees to what becomes of the process when that fails."""
    requests: IO[str] | None = process.stdin
    assert requests and process.stderr
    requests.write(f"{prompt}\n")
    requests.flush()
    for line in process.stderr:
        if not (event := parse_event(line)):
            continue
        told.events.append(event)
        if event["event"] == "generate":
            told.rates.append(float(event["tokens_per_s"]))
            return
    raise LinuxRunError("the program ended in the middle of a story")


def tell_stories(
    program: Path, root: Path, config: Mapping[str, object], prompt: str, stories: int
) -> Stories:
    """One run, in mode interactive, that tells the same story so many times.

    Each prompt is typed when the story before has ended, so that nothing waits to be read during a story.
    """
    told = Stories()
    command = _command(program, root, {"mode": "interactive", "temperature": 0, **config})
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.PIPE, text=True
        )
        with process:
            try:
                for _ in range(stories):
                    _tell(process, told, prompt)
                _, rest = process.communicate("/poweroff\n", timeout=LIMIT)
            except (OSError, LinuxRunError):
                process.kill()
                output.seek(0)
                raise _complaint(program, process.wait(), output.read()) from None
        told.events += [event for event in map(parse_event, rest.splitlines()) if event]
    return told


def _processor_time(
    program: Path, root: Path, config: Mapping[str, object], prompt: str, stories: int
) -> tuple[int, float]:
    """Tokens and seconds of processor time of a run that gets all its prompts by a pipe."""
    command = _command(program, root, {"mode": "interactive", "temperature": 0, **config})
    with tempfile.TemporaryFile("w+") as prompts, tempfile.TemporaryFile("w+") as events:
        prompts.write(f"{prompt}\n" * stories + "/poweroff\n")
        prompts.seek(0)
        process = subprocess.Popen(command, stdin=prompts, stdout=subprocess.DEVNULL, stderr=events)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        events.seek(0)
        lines = events.readlines()
    found = [event for event in map(parse_event, lines) if event and event["event"] == "generate"]
    if process.returncode or len(found) != stories:
        raise _complaint(program, process.returncode, "".join(lines))
    return sum(event["tokens"] for event in found), usage.ru_utime + usage.ru_stime


def processor_rate(
    program: Path, root: Path, config: Mapping[str, object], prompt: str, few: int, many: int
) -> float:
    """Tokens per second of processor time, without the start: what many stories take more than few."""
    less, more = (_processor_time(program, root, config, prompt, count) for count in (few, many))
    return (more[0] - less[0]) / (more[1] - less[1])
