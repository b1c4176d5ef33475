"""What a file in variants/ says."""

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bareflow.errors import BareFlowError
from bareflow.trim.trimming import Trimming


class VariantError(BareFlowError):
    """There is no such variant, or not for this architecture."""


@dataclass(frozen=True)
class Variant:
    """One way to build the image: what goes in and how it is optimised."""

    summary: str
    architectures: list[str]
    app: list[str]
    """Folders with the application's sources."""
    kernel_lib: list[str]
    """Folders with kernel_lib's sources, for platform=bare."""
    linux: list[str]
    """Sources besides the application's, for platform=linux."""
    optimisation: dict[str, str]
    """The compiler's optimisation option by folder; of the folders that hold a source, the longest counts."""
    libc_defines: dict[str, list[str]]
    """LLVM-libc's own configuration macros (libc/config/config.json in its source), by folder."""
    lto: list[str]
    """Linker options for the optimising link."""
    compression: int | Literal["streams"]
    """The kernel file: a Zstandard level, or 0 for none, or streams packed by LZMA, which are smaller and
    take longer to unpack (boot/streams/streams.h)."""
    takes_profile: bool = False
    """Whether profile= may say how its application is compiled."""
    engine: list[str] = field(default_factory=list)
    """Folders of the JIT engine: C++ against LLVM's headers. Without any, the application is native code;
    with them, it and what it uses of LLVM-libc are embedded as bitcode."""
    llvm: list[str] = field(default_factory=list)
    """The components of LLVM (llvm-config) that are linked for the engine, and their dependencies."""
    glibc_abi: list[str] = field(default_factory=list)
    """Folders with what LLVM's archives, made for glibc, want of a C library besides LLVM-libc's
    functions."""
    app_optimisation: str = ""
    """The same for all of the application; empty: what `optimisation` says of its sources, or app.toml."""
    embedded_passes: str = ""
    """The passes (opt -passes=) that the embedded application has been through."""
    stack_size: str = "64K"
    """The stack's size, in the linker script's notation."""
    trimmed_from: str = ""
    """The variant whose objects are linked again without the functions that its coverage has not seen."""
    trimming: Trimming = field(default_factory=Trimming)
    """How, besides by coverage."""

    def optimisation_of(self, source: str) -> str:
        """The option for a source, by its path from the top folder, or below "llvm-libc" for libc's."""
        if self.app_optimisation and source.startswith(tuple(f"{folder}/" for folder in self.app)):
            return self.app_optimisation
        return self.optimisation[max((f for f in self.optimisation if source.startswith(f)), key=len)]

    def libc_defines_of(self, source: str) -> list[str]:
        """The macros that one of LLVM-libc's sources is compiled with, by its path below libc/src."""
        chosen = (names for folder, names in self.libc_defines.items() if source.startswith(f"{folder}/"))
        return [name for names in chosen for name in names]


def load_variant(folder: str | Path, name: str, architecture: str) -> Variant:
    """Reads variants/NAME.py; raises VariantError naming what there is instead."""
    folder = Path(folder)
    path = folder / f"{name}.py"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.py")))
        raise VariantError(f"variant={name} does not exist yet; there is: {known}")
    spec = importlib.util.spec_from_file_location(f"variants.{name}", path)
    if spec is None or spec.loader is None:
        raise VariantError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    variant = module.VARIANT
    if not isinstance(variant, Variant):
        raise VariantError(f"{path} must define VARIANT, a bareflow.variant.Variant")
    if architecture not in variant.architectures:
        known = " or ".join(f"arch={name}" for name in variant.architectures)
        raise VariantError(f"arch={architecture} does not exist yet for variant={name}; use {known}")
    return variant
