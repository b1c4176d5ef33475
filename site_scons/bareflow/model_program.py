"""The model's program, tinyllama: what its description says, which is in its own folder (app.toml)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class DiskFile:
    """A file that the program shares with the host."""

    path: str
    """On the guest's disk."""
    use: str
    """What the option that names the host's file is for."""


@dataclass(frozen=True)
class ModelProgram:
    """Folders and files are named from the top folder on."""

    sources: list[str]
    """Folders."""
    optimisation: Mapping[str, str]
    """Of `native`, by source."""
    default_model: str
    """The model that there is without model=."""
    positions: int
    """Of the KV cache by default."""
    disk: Mapping[str, str]
    """Where the guest's disk has the model, its tokenizer and its chat template."""
    settings: Mapping[str, str]
    """Those with an option of their own, and what each is for."""
    results: Mapping[str, DiskFile]
    """What it writes, by setting."""
    inputs: Mapping[str, DiskFile]
    """What it reads, by setting."""
    text_mode: str
    """One text, to a prompt."""
    dialogues: tuple[str, ...]
    """Modes in which a person types; the first one: the guest takes that which the model is for."""
    tables_mode: str
    """Its measurements are what was asked for."""
    other_modes: tuple[str, ...]
    prompts: frozenset[str]
    """Settings that are a prompt."""
    end: str
    """The command that ends a dialogue."""
    text_event: str
    """Tells at the end of each text how fast it was."""
    ready_event: str
    """Says that the model has been read."""

    @property
    def folder_on_disk(self) -> str:
        """That of the model's files, with a "/" at its end."""
        return f"{Path(self.disk['model']).parent}/"

    @property
    def modes(self) -> tuple[str, ...]:
        """All of them."""
        return (self.text_mode, *self.dialogues, self.tables_mode, *self.other_modes)


def _files(said: Mapping[str, Mapping[str, str]]) -> dict[str, DiskFile]:
    return {key: DiskFile(**each) for key, each in said.items()}


def load(folder: Path) -> ModelProgram:
    """Reads the description of the program in a folder at the top."""
    said: dict[str, Any] = tomllib.loads((folder / "app.toml").read_text())
    modes = said["modes"]
    return ModelProgram(
        sources=[(Path(folder.name) / each).as_posix() for each in said["sources"]],
        optimisation={f"{folder.name}/{name}": option for name, option in said["optimisation"].items()},
        default_model=f"{folder.name}/{said['default_model']}",
        positions=said["positions"],
        disk=said["disk"],
        settings=said["settings"],
        results=_files(said["results"]),
        inputs=_files(said["inputs"]),
        text_mode=modes["text"],
        dialogues=tuple(modes["dialogues"]),
        tables_mode=modes["tables"],
        other_modes=tuple(modes["others"]),
        prompts=frozenset(modes["prompts"]),
        end=modes["end"],
        text_event=said["events"]["text"],
        ready_event=said["events"]["ready"],
    )


MODEL_PROGRAM = load(TOP / "tinyllama")
