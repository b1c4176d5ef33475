"""models.toml: the models that can be had by name, and what to say about a name that is none of them.

    python -m bareflow.models.model_catalogue CATALOGUE FOLDER FILE

downloads one file of it, with a progress bar on standard error. A program of its own, because Ctrl-C ends it:
SCons lets a function that it has started run to its end.
"""

import difflib
import signal
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bareflow import program
from bareflow.errors import BareFlowError
from bareflow.models.download import Download, DownloadError, fetch
from bareflow.models.packages import Assembled, Part, fetch_parts
from bareflow.progress_bar import ProgressBar

DEFAULT = "default"
"""The name of the project's own model, which is in the tree and not in the catalogue."""


@dataclass(frozen=True)
class CatalogueModel:
    """A model's file, and the tokenizer that belongs to it if that is not in the same file."""

    file: Download | Assembled
    tokenizer: Download | None
    licence: str
    """A sentence that names it and says where its terms are; "" for none."""


def _file(name: str, entry: dict[str, Any]) -> Download | Assembled:
    if "url" in entry:
        return Download(name, entry["url"], entry["bytes"], entry["sha256"])
    packages = tuple(
        Part(part["package"], part["version"], part["bytes"], part["sha256"], part["file"])
        for part in entry["parts"]
    )
    return Assembled(name, entry["bytes"], entry["sha256"], packages)


def _model(name: str, entry: dict[str, Any], tokenizers: dict[str, Any]) -> CatalogueModel:
    licence = f"{name}: {entry['licence']}, {entry['terms']}" if "licence" in entry else ""
    if "tokenizer" not in entry:
        return CatalogueModel(_file(f"{name}.gguf", entry), None, licence)
    tokenizer = tokenizers[entry["tokenizer"]]
    pieces = Download(
        f"{entry['tokenizer']}.tokenizer.bin", tokenizer["url"], tokenizer["bytes"], tokenizer["sha256"]
    )
    return CatalogueModel(_file(f"{name}.bin", entry), pieces, licence)


def load_catalogue(path: Path) -> dict[str, CatalogueModel]:
    """Name to model, in the file's order."""
    toml = tomllib.loads(path.read_text())
    return {name: _model(name, entry, toml["tokenizers"]) for name, entry in toml["models"].items()}


def unknown_model(value: str, path: Path, names: list[str]) -> str:
    """The sentence for a model= that is neither the file `path` nor one of `names`."""
    near = difflib.get_close_matches(value.lower(), [name.lower() for name in names], 1)
    meant = [name for name in names if near and name.lower() == near[0]]
    hint = f" Did you mean model={meant[0]}?" if meant else ""
    return f"model={value}: there is no file {path}, and no model of this name: {', '.join(names)}.{hint}"


def _find(catalogue: dict[str, CatalogueModel], name: str) -> tuple[CatalogueModel, Download | Assembled]:
    """The file of this name, and its model."""
    for model in catalogue.values():
        for file in (model.file, model.tokenizer):
            if file and file.name == name:
                return model, file
    raise BareFlowError(f"no model of the catalogue has a file {name}")


def main(argv: Sequence[str]) -> int:
    """Downloads what argv names; returns the exit status."""
    catalogue, folder, name = argv
    model, file = _find(load_catalogue(Path(catalogue)), name)
    if model.licence and not Path(folder, name).exists():
        sys.stderr.write(f"           {model.licence}\n")
    bar = ProgressBar(sys.stderr, name, file.transfer if isinstance(file, Assembled) else file.size)
    try:
        if isinstance(file, Assembled):
            fetch_parts(file, Path(folder), bar)
        else:
            fetch(file, Path(folder), bar)
    except DownloadError as error:
        bar.close()
        advice = "Without a download: model=FILE tokenizer=FILE, or no model= for the project's own."
        sys.stderr.write(f"bareflow: {error}. {advice}\n")
        return 1
    except KeyboardInterrupt:
        bar.close()
        return 128 + signal.SIGINT
    bar.close()
    return 0


if __name__ == "__main__":
    sys.exit(program.call("bareflow", main, sys.argv[1:]))
