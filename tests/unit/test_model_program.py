"""What is tinyllama's own stands in its folder: the description is right, and the names are nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bareflow.model_program import MODEL_PROGRAM
from project_files import ROOT

PLACES = ("SConstruct", "boot", "kernel_lib", "llvm-libc", "site_scons", "variants")
ABOUT_MODELS = (
    "site_scons/bareflow/bench/",  # measures the model's program in its modes
    "site_scons/bareflow/models/",  # makes, reads and downloads models
    "variants/workload.toml",  # what the model's program was recorded to run
)
"""Besides tests and documents, these are about the model's program by what they are for."""
TEXTS = {"", ".asm", ".c", ".cpp", ".h", ".ld", ".py", ".toml"}
MORE_THAN_MODES = {"auto", "bench", "perplexity"}
"""Words that are also values of other settings, or targets."""


def texts() -> Iterator[tuple[str, str]]:
    for place in PLACES:
        for path in [ROOT / place, *sorted((ROOT / place).rglob("*"))]:
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and path.suffix in TEXTS and not name.startswith(ABOUT_MODELS):
                yield name, path.read_text()


def names() -> list[str]:
    """As regular expressions."""
    files = [*MODEL_PROGRAM.results.values(), *MODEL_PROGRAM.inputs.values()]
    words = {*MODEL_PROGRAM.settings, *MODEL_PROGRAM.results, *MODEL_PROGRAM.modes} - MORE_THAN_MODES
    return [
        "tinyllama/(?!SConscript)",
        *map(re.escape, [*MODEL_PROGRAM.disk.values(), *(file.path for file in files), MODEL_PROGRAM.end]),
        *(rf"\b{word}\b" for word in words if "_" in word),
        *(rf'"{word}"' for word in words & {*MODEL_PROGRAM.modes}),
    ]


def test_names_stand_in_its_folder_alone() -> None:
    pattern = re.compile("|".join(names()))
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for name, text in texts()
        for match in pattern.finditer(text)
    ]
    assert found == []


def test_all_that_it_names_is_there() -> None:
    assert all(list((ROOT / folder).glob("*.c")) for folder in MODEL_PROGRAM.sources)
    assert all((ROOT / source).is_file() for source in MODEL_PROGRAM.optimisation)
    assert (ROOT / MODEL_PROGRAM.default_model).is_file()


@pytest.mark.parametrize(
    "key", sorted({*MODEL_PROGRAM.settings, *MODEL_PROGRAM.results, *MODEL_PROGRAM.inputs})
)
def test_its_settings_are_the_guest_s(key: str) -> None:
    """By the sources, in which each is a string."""
    sources = [path for folder in MODEL_PROGRAM.sources for path in (ROOT / folder).glob("*.c")]
    assert any(f'"{key}"' in path.read_text() for path in sources)


def test_modes_are_the_guest_s() -> None:
    described = Path(ROOT / "tinyllama/settings.c").read_text()
    assert all(f'"{mode}"' in described for mode in MODEL_PROGRAM.modes)
    help_text = set(re.findall(r"\w+", MODEL_PROGRAM.settings["mode"]))
    assert help_text == {*MODEL_PROGRAM.modes, "or"}
