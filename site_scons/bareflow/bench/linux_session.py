"""The Linux program, run in a folder of its own, which takes the disk's place: many texts in one run,
measurements, and the files that a run leaves."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from bareflow.errors import BareFlowError
from bareflow.events import Event, parse_event
from bareflow.model_program import MODEL_PROGRAM

FILES = {key: file.path for key, file in MODEL_PROGRAM.results.items()}
LIMIT = 600.0
"""Seconds after which a run counts as hung."""


class LinuxRunError(BareFlowError):
    """The program ended with an error, or did not report what it should have."""


@dataclass
class Generations:
    """One run that has generated the same text several times."""

    rates: list[float] = field(default_factory=list)
    """Of each text, in tokens per second."""
    events: list[Event] = field(default_factory=list)

    @property
    def costs(self) -> Event:
        """What the JIT did and took until the end; empty where there is none."""
        return ([event for event in self.events if event["event"] == "jit"] or [{}])[-1]


def make_root(root: Path, model: Path, tokenizer: Path | None = None) -> Path:
    """A folder for runs with this model; GGUF's has its tokenizer in it. What is in the folder already stays,
    but for the model."""
    for name in ("model", "profile"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "model" / "model.bin").write_bytes(model.read_bytes())
    if tokenizer:
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
    """Generates one text; its tokens' ids and its logits as they are in memory."""
    run(program, root, {"mode": "generate", "temperature": 0, **FILES, **config})
    ids, logits = ((root / path.lstrip("/")).read_bytes() for path in FILES.values())
    return ids, logits


def measure_products(program: Path, root: Path, config: Mapping[str, object]) -> dict[str, float]:
    """Cycles of a product with each matrix of the model, by its name: the least."""
    _, events = run(program, root, {"mode": "bench", "steps": 1, "temperature": 0, **config})
    return {event["matrix"]: float(event["min"]) for event in events if "matrix" in event}


def _generate(process: subprocess.Popen[str], generated: Generations, prompt: str) -> None:
    """Adds one text; when that fails, the caller ends the process."""
    requests: IO[str] | None = process.stdin
    assert requests and process.stderr
    requests.write(f"{prompt}\n")
    requests.flush()
    for line in process.stderr:
        if not (event := parse_event(line)):
            continue
        generated.events.append(event)
        if event["event"] == "generate":
            generated.rates.append(float(event["tokens_per_s"]))
            return
    raise LinuxRunError("the program ended in the middle of a text")


def generate_texts(
    program: Path,
    root: Path,
    config: Mapping[str, object],
    prompt: str,
    texts: int,
    is_enough: Callable[[Generations], bool] = lambda generated: False,
) -> Generations:
    """One run, in mode interactive, that generates the same text so many times, or until it is enough.

    Each prompt is typed when the text before has ended, so that nothing waits to be read during a text.
    """
    generated = Generations()
    command = _command(program, root, {"mode": "interactive", "temperature": 0, **config})
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.PIPE, text=True
        )
        with process:
            try:
                for _ in range(texts):
                    _generate(process, generated, prompt)
                    if is_enough(generated):
                        break
                _, rest = process.communicate("/poweroff\n", timeout=LIMIT)
            except (OSError, LinuxRunError):
                process.kill()
                output.seek(0)
                raise _complaint(program, process.wait(), output.read()) from None
        generated.events += [event for event in map(parse_event, rest.splitlines()) if event]
    return generated


def _processor_time(
    program: Path, root: Path, config: Mapping[str, object], prompt: str, texts: int
) -> tuple[int, float]:
    """Tokens and seconds of processor time of a run that gets all its prompts by a pipe."""
    command = _command(program, root, {"mode": "interactive", "temperature": 0, **config})
    with tempfile.TemporaryFile("w+") as prompts, tempfile.TemporaryFile("w+") as events:
        prompts.write(f"{prompt}\n" * texts + "/poweroff\n")
        prompts.seek(0)
        process = subprocess.Popen(command, stdin=prompts, stdout=subprocess.DEVNULL, stderr=events)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        events.seek(0)
        lines = events.readlines()
    found = [event for event in map(parse_event, lines) if event and event["event"] == "generate"]
    if process.returncode or len(found) != texts:
        raise _complaint(program, process.returncode, "".join(lines))
    return sum(event["tokens"] for event in found), usage.ru_utime + usage.ru_stime


def processor_rate(
    program: Path, root: Path, config: Mapping[str, object], prompt: str, few: int, many: int
) -> float:
    """Tokens per second of processor time, without the start: what many texts take more than few."""
    less, more = (_processor_time(program, root, config, prompt, count) for count in (few, many))
    return (more[0] - less[0]) / (more[1] - less[1])
