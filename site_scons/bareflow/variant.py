"""What a file in variants/ says."""

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

from .errors import BareFlowError


class VariantError(BareFlowError):
    """There is no such variant, or not for this architecture."""


@dataclass(frozen=True)
class SharedEntries:
    """A table of a library all of whose entries may lead to the same thing (bareflow/shared_entries.py)."""

    file: str
    """The object that has it, as link maps call it."""
    table: str
    """Its section."""
    entries: str
    """The sections that its entries refer to: a regular expression. Other entries stay."""
    kept: str
    """The symbol that these entries refer to from now on; the only one of that name in the object."""


@dataclass(frozen=True)
class NameTable:
    """A library's table of names, some of which nobody asks for (bareflow/name_tables.py)."""

    file: str
    """The object that has it, as link maps call it."""
    names: str
    """The section with the names, each ended by a zero byte."""
    offsets: str
    """The section with where each name begins, 4 bytes each."""
    unwanted: str
    """The names that go, a regular expression."""


@dataclass(frozen=True)
class RemovedData:
    """A variable of a library that nothing uses (bareflow/removed_data.py)."""

    file: str
    """The object that has it, as link maps call it."""
    section: str
    """Its section, which ends with its name."""


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
    libc_defines: list[str]
    """LLVM-libc's own configuration macros (libc/config/config.json in its source)."""
    lto: list[str]
    """Linker options for the optimising link."""
    compression: int
    """The Zstandard level that the kernel file is compressed with; 0: it is not."""
    engine: list[str] = field(default_factory=list)
    """Folders of the JIT engine: C++ against LLVM's headers. Without any, the application is native code;
    with them, it and what it uses of LLVM-libc are embedded as bitcode."""
    llvm: list[str] = field(default_factory=list)
    """The components of LLVM (llvm-config) that are linked for the engine, and their dependencies."""
    glibc_abi: list[str] = field(default_factory=list)
    """Folders with what LLVM's archives, made for glibc, want of a C library besides LLVM-libc's
    functions."""
    embedded_passes: str = ""
    """The passes (opt -passes=) that the embedded application has been through."""
    stack_size: str = "64K"
    """The stack's size, in the linker script's notation."""
    trimmed_from: str = ""
    """The variant whose objects are linked again without the functions that its coverage has not seen."""
    shared_entries: list[SharedEntries] = field(default_factory=list)
    """Tables of the libraries, all of whose entries lead to the same thing when trimmed."""
    name_tables: list[NameTable] = field(default_factory=list)
    """Tables of names in the libraries that lose some when trimmed."""
    removed_data: list[RemovedData] = field(default_factory=list)
    """Variables of the libraries that are not linked when trimmed."""
    whole: list[str] = field(default_factory=list)
    """Archives of which no function is removed when trimmed."""
    by_chance: list[str] = field(default_factory=list)
    """Patterns of functions' names that are not removed when trimmed: whether they run is chance."""
    unconstructed: list[str] = field(default_factory=list)
    """Objects of the libraries, as link maps call them, whose static constructors do not run when trimmed."""

    def optimisation_of(self, source: str) -> str:
        """The option for a source, by its path from the top folder, or below "llvm-libc" for libc's."""
        return self.optimisation[max((f for f in self.optimisation if source.startswith(f)), key=len)]


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
