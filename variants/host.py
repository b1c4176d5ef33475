"""host: native's sources as one compiles for the machine at hand: -O3 -march=native. To compare with, as a
Linux program; no image is made of it, because what this processor has another may lack."""

from dataclasses import replace
from pathlib import Path

from bareflow.variant import load_variant

VARIANT = replace(
    load_variant(Path(__file__).parent, "native", "x86_64"),
    summary="native's sources, compiled ahead of time for this processor",
    optimisation={"": "-O3 -march=native"},
    lto=["--lto-O3"],
    takes_profile=False,
)
