"""How far the Linux program's logits are from exact ones: of a folder of GGUF files NAME.gguf with
NAME.exact.logits.f32, the logits (float32) for the token ids of ids.txt, fed from position 0."""

import array
import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bareflow.bench.case import Case, progress
from bareflow.bench.linux_session import make_root, record
from bareflow.bench.tables import Row, render
from bareflow.errors import BareFlowError

EXACT = ".exact.logits.f32"
KV = ("f32", "f16", "q8")

LLAMA_CPP = {
    "F16": 0.0004, "BF16": 0.0031, "Q8_0": 0.0112, "Q4_0": 0.0123, "Q4_1": 0.0125, "Q5_0": 0.0121,
    "Q5_1": 0.0122, "Q2_K": 0.0171, "Q3_K_M": 0.0163, "Q4_K_M": 0.0165, "Q5_K_M": 0.0164, "Q6_K": 0.0161,
    "IQ4_NL": 0.0123, "IQ4_XS": 0.0166,
}  # fmt: skip
"""How far llama.cpp is from the exact logits of types-NAME: it rounds activations, too."""

Floats = Sequence[float]


def floats(data: bytes) -> "array.array[float]":
    """Little-endian float32 values."""
    values = array.array("f", data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def error_of(found: Floats, expected: Floats) -> float:
    """The root mean square of the error over the standard deviation of what is expected."""
    mean = math.fsum(expected) / len(expected)
    squares = math.fsum((a - b) ** 2 for a, b in zip(found, expected, strict=True))
    return math.sqrt(squares / math.fsum((b - mean) ** 2 for b in expected))


def largest_error(found: Floats, expected: Floats) -> float:
    """The largest error over the standard deviation of what is expected."""
    mean = math.fsum(expected) / len(expected)
    deviation = math.sqrt(math.fsum((b - mean) ** 2 for b in expected) / len(expected))
    return max(abs(a - b) for a, b in zip(found, expected, strict=True)) / deviation


def _measure(program: Path, folder: Path, settings: Mapping[str, object]) -> dict[str, list[float]]:
    """By name of a model: the largest error, and the root mean squares for each of KV."""
    files = sorted(folder.glob(f"*{EXACT}"))
    if not files:
        raise BareFlowError(f"{folder} has no files *{EXACT}")
    ids = (folder / "ids.txt").read_text().split()
    prompt = {"prompt_ids": ",".join(ids), "steps": len(ids)}
    found = {}
    with tempfile.TemporaryDirectory() as root:
        for file in files:
            name, expected = file.name.removesuffix(EXACT), floats(file.read_bytes())
            progress(name)
            make_root(Path(root), folder / f"{name}.gguf")
            logits = [floats(record(program, Path(root), {**prompt, **settings, "kv": kv})[1]) for kv in KV]
            found[name] = [largest_error(logits[0], expected), *(error_of(row, expected) for row in logits)]
    return found


def _row(name: str, errors: Sequence[float]) -> Row:
    other = LLAMA_CPP.get(name.removeprefix("types-"))
    return name, [*(f"{error:.7f}" for error in errors), f"{other:.4f}" if other else ""]


def _table(found: Mapping[str, Sequence[float]]) -> str:
    columns = ("largest", *(f"RMS, kv={kv}" for kv in KV), "llama.cpp's RMS")
    rows = [_row(name, errors) for name, errors in found.items()]
    return render("errors / standard deviation", columns, rows, name_width=28, widths=(12, 14, 14, 14, 17))


def _complaints(found: Mapping[str, Sequence[float]]) -> list[str]:
    rms = {name.removeprefix("types-"): errors[1] for name, errors in found.items()}
    return [f"{name}: further than llama.cpp" for name, most in LLAMA_CPP.items() if rms.get(name, 0) > most]


def reference_bench(arguments: Mapping[str, str]) -> list[Case[Any]]:
    """The errors of program= with the files of the folder references=. Other arguments are settings."""
    settings = {key: value for key, value in arguments.items() if value}
    program, folder = Path(settings.pop("program")), Path(settings.pop("references"))
    measure = partial(_measure, program, folder, settings)
    return [Case(measure, lambda found: [_table(found)], _complaints)]
