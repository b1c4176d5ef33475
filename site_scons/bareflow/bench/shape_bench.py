"""The part of the Linux bench about models of different shapes: what the JIT makes for the first one, and
what it makes anew when the same folder gets another."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bareflow.bench.jit_table import Row
from bareflow.bench.linux_session import Stories, make_root, measure_products, record, tell_stories
from bareflow.models.synthetic_model import MAGIC, Shape, random_checkpoint, tokenizer

# What is called often is compiled for the highest level at once.
GENERAL: dict[str, object] = {"jit.thresholds": "20,20,20,20", "jit.budget": 100, "jit.specialise": "off"}
STORY: dict[str, object] = {"steps": 64, "jit.budget": 100}
PROMPT = "Once upon a time"
STORIES = 5000
"""Enough for copies for the other model's arguments to be worth what they are expected to cost."""
OTHER_SHAPE = Shape(dim=96, hidden=256, layers=4, heads=6, kv_heads=3, vocabulary=384)
SEED = 1


@dataclass(frozen=True)
class Model:
    """A model, and what was measured with it."""

    name: str
    general: Mapping[str, float]
    """Cycles of a product by matrix: of code that is not specialised."""
    specialised: Mapping[str, float]
    native: Mapping[str, float]
    told: Stories
    same_bits: bool

    @property
    def anew(self) -> list[str]:
        """The functions that were compiled again because of their arguments."""
        tiers = [event for event in self.told.events if event["event"] == "tier"]
        return [event["function"] for event in tiers if event["reason"] == "new arguments"]


def make_other(like: Path, folder: Path) -> tuple[Path, Path]:
    """A made-up model of another shape with weights of the same kind (float32 or int8), and its tokenizer."""
    header = like.read_bytes()[:8]
    kind = "v2" if header == MAGIC.to_bytes(4, "little") + b"\2\0\0\0" else "v0"
    model, words = folder / "other.bin", folder / "other_tokenizer.bin"
    model.write_bytes(random_checkpoint(kind, OTHER_SHAPE, SEED))
    words.write_bytes(tokenizer(OTHER_SHAPE.vocabulary))
    return model, words


def measure(files: Mapping[str, Path], folder: Path) -> list[Model]:
    """The model given, another one in the folder that it has left, and itself there once more."""
    full, native = files["program"], files["native"]
    given = files["model"], files["tokenizer"]
    found = []
    root = folder / "shapes"
    for name, model in {"given": given, "other": make_other(given[0], folder), "given again": given}.items():
        make_root(root, *model)
        alone = make_root(folder / f"alone-{name}", *model)
        told = tell_stories(full, root, STORY, PROMPT, STORIES)
        found.append(
            Model(
                name,
                general=measure_products(full, alone, GENERAL),
                specialised=measure_products(full, root, {}),
                native=measure_products(native, alone, {}),
                told=told,
                same_bits=record(full, root, STORY) == record(native, alone, {"steps": 64}),
            )
        )
    return found


def rows(models: list[Model]) -> list[Row]:
    """Cycles of products by model and matrix."""
    found: list[Row] = []
    for model in models:
        for matrix in model.general:
            general, special = model.general[matrix], model.specialised[matrix]
            values = [f"{general:.0f}", f"{special:.0f}", f"{general / special:.2f}"]
            found.append((f"{model.name}: {matrix}", [*values, f"{model.native[matrix]:.0f}"]))
    return found


COLUMNS = ("general", "specialised", "ratio", "native")
