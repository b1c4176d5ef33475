"""Sources that are compiled several times, and what a variant says of the application's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bareflow.source_versions import options_by_suffix
from bareflow.variant import load_variant
from project_files import ROOT


def test_versions(tmp_path: Path) -> None:
    (tmp_path / "a.versions.toml").write_text(
        '[one]\narchitectures = ["x86_64", "i386"]\noptions = []\n'
        '[two]\narchitectures = ["x86_64"]\noptions = ["-DA", "-mavx2"]\n'
    )
    both = {"_one": (), "_two": ("-DA", "-mavx2")}
    assert list(options_by_suffix(tmp_path / "a.c", "x86_64").items()) == list(both.items())
    assert options_by_suffix(tmp_path / "a.c", "i386") == {"_one": ()}
    assert options_by_suffix(tmp_path / "b.c", "i386") == {"": ()}


def test_kernels_of_each_architecture() -> None:
    """Processors of 32 bits have SSE2 (docs/i386.md)."""
    kernels = ROOT / "tinyllama/kernels/kernels.c"
    assert list(options_by_suffix(kernels, "x86_64")) == ["_sse2", "_avx2", "_avx512"]
    assert list(options_by_suffix(kernels, "i386")) == ["_sse2"]


def test_how_the_application_is_compiled() -> None:
    native = load_variant(ROOT / "variants", "native", "x86_64")
    variant = replace(native, app=["x", "x/y"], optimisation={"": "-O1", "x/y/b.c": "-O2"})
    sources = ("x/a.c", "x/y/b.c", "xy/c.c")
    assert [variant.optimisation_of(source) for source in sources] == ["-O1", "-O2", "-O1"]
    variant = replace(variant, app_optimisation="-O3")
    assert [variant.optimisation_of(source) for source in sources] == ["-O3", "-O3", "-O1"]
