"""models.toml: the models that can be had by name, and what to say about a name that is none of them.

    python -m bareflow.models.model_catalogue FOLDER NAME URL SIZE SHA256

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
from bareflow.models.download import Download, DownloadError, fetch
from bareflow.progress_bar import ProgressBar

DEFAULT = "default"
"""The name of the project's own model, which is in the tree and not in the catalogue."""


@dataclass(frozen=True)
class CatalogueModel:
    """A checkpoint and the tokenizer that belongs to it."""

    checkpoint: Download
    tokenizer: Download


def _download(name: str, entry: dict[str, Any]) -> Download:
    return Download(name, entry["url"], entry["bytes"], entry["sha256"])


def load_catalogue(path: Path) -> dict[str, CatalogueModel]:
    """Name to model, in the file's order."""
    toml = tomllib.loads(path.read_text())
    tokenizers = {
        name: _download(f"{name}.tokenizer.bin", entry) for name, entry in toml["tokenizers"].items()
    }
    return {
        name: CatalogueModel(_download(f"{name}.bin", entry), tokenizers[entry["tokenizer"]])
        for name, entry in toml["models"].items()
    }


def unknown_model(value: str, path: Path, names: list[str]) -> str:
    """The sentence for a model= that is neither the file `path` nor one of `names`."""
    near = difflib.get_close_matches(value.lower(), [name.lower() for name in names], 1)
    meant = [name for name in names if near and name.lower() == near[0]]
    hint = f" Did you mean model={meant[0]}?" if meant else ""
    return f"model={value}: there is no file {path}, and no model of this name: {', '.join(names)}.{hint}"


def main(argv: Sequence[str]) -> int:
    """Downloads what argv names; returns the exit status."""
    folder, name, url, size, sha256 = argv
    file = Download(name, url, int(size), sha256)
    bar = ProgressBar(sys.stderr, file.name, file.size)
    try:
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
