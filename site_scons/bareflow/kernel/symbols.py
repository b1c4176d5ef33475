"""The kernel's own table of functions, by which it names the frames of a backtrace and notes which have run.

Layout: u32 count, u32 offset[count] (function start minus the kernel's load address, ascending), then the
names in the same order, each ended by a zero byte; then a bit for each, lowest bit first: 1 = its size is not
known. In .bss a byte, a bit and a u32 for each, for coverage/coverage.c.
"""

import io
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from elftools.elf.elffile import ELFFile

from bareflow.kernel.object_sections import EXECUTABLE
from bareflow.kernel.symbol_table import FUNCTION, LOCAL, NO_TYPE, SymbolError, symbol_table
from bareflow.trim import stub_names

_TEMPLATE_ARGUMENTS = re.compile(r"<[^<>]*>")
_DULL_NAMESPACES = re.compile(r"__llvm_libc::|\(anonymous namespace\)::")
_NUMBER_OF_LTO = re.compile(r"\.\d+$")


@dataclass(frozen=True, order=True)
class Function:
    """A function of the linked kernel."""

    address: int
    name: str
    sized: bool = field(default=False, compare=False)
    """Whether the ELF says how long it is; what it does not say that of (assembly) may as well be data."""


def _candidates(elf: ELFFile) -> Iterator[tuple[int, bool, bool, str, int]]:
    """Address, "is untyped", "is local", name and size of each symbol that may name code."""
    executable = {
        index for index, section in enumerate(elf.iter_sections()) if section["sh_flags"] & EXECUTABLE
    }
    for symbol in symbol_table(elf):
        name = symbol.name
        if symbol.section not in executable or symbol.type not in (FUNCTION, NO_TYPE) or not name:
            continue
        untyped = symbol.type == NO_TYPE
        if untyped and ("." in name or name.startswith("__")):
            continue  # NASM's local labels, and section bounds from the linker script
        yield symbol.value, untyped, symbol.binding == LOCAL, name, 0 if untyped else symbol.size


def functions(elf: bytes) -> list[Function]:
    """The functions of a linked ELF by address, one name each: typed before untyped, global before local."""
    names: dict[int, str] = {}
    sized = set()
    for address, _, _, name, size in sorted(_candidates(ELFFile(io.BytesIO(elf)))):
        names.setdefault(address, name)
        if size:
            sized.add(address)
    return [Function(address, name, address in sized) for address, name in names.items()]


def load_address(elf: bytes) -> int:
    """Where the first byte of a linked ELF is loaded."""
    segments = ELFFile(io.BytesIO(elf)).iter_segments("PT_LOAD")
    return min(int(segment["p_paddr"]) for segment in segments)


def readable(names: list[str], demangler: str) -> list[str]:
    """C++ names without namespaces of no interest, template arguments and parameters: they cost bytes."""
    text = "".join(f"{name}\n" for name in names)
    command = [demangler, "--no-params"]
    output = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
    shortened = []
    for name in output.splitlines():
        while (plain := _TEMPLATE_ARGUMENTS.sub("", name)) != name:
            name = plain
        shortened.append(_DULL_NAMESPACES.sub("", name))
    return shortened


def without_numbers(names: list[str]) -> list[str]:
    """Names without what the LTO link adds to those of static functions that are there more than once."""
    return [_NUMBER_OF_LTO.sub("", name) for name in names]


def pack_bits(bits: Sequence[bool]) -> bytes:
    """Bits as the kernel keeps them: eight a byte, the first one lowest."""
    packed = bytearray((len(bits) + 7) // 8)
    for index, bit in enumerate(bits):
        packed[index // 8] |= bit << index % 8
    return bytes(packed)


def table_source(
    found: list[Function],
    names: list[str],
    start: int,
    *,
    coverage_by_default: bool = False,
    stubs: Mapping[int, str] | None = None,
    removable: Sequence[bool] = (),
    unwinding: str = "",
) -> str:
    """The table as GNU assembler source, with `names` for the functions, all at or above `start`.

    With it what else may differ between kernels of the same objects: a constant of coverage/coverage.h, the
    names of removed functions by the ids in their stubs, which functions it may remove itself (removable.py),
    and the source of unwind_table.py.

    (NASM would leave the path of the source in the object.)
    """
    offsets = [f"    .long {function.address - start:#x}" for function in found]
    lines = [f'    .asciz "{name}"' for name in names]
    head = ['.section .symbols, "a", @progbits', ".balign 4", ".globl kernel_symbols", "kernel_symbols:"]
    unsized = pack_bits([not function.sized for function in found])
    bits = [".globl kernel_unsized_symbols", "kernel_unsized_symbols:"]
    bits += stub_names.byte_lines(unsized)
    bits += [".globl coverage_by_default", f"coverage_by_default: .byte {int(coverage_by_default)}"]
    room = ['.section .bss.kernel_symbols, "aw", @nobits', ".balign 4"]
    sizes = {"order": 4 * len(found), "bytes": len(found), "bits": len(unsized)}
    for label, size in ((f"kernel_symbol_{name}", size) for name, size in sizes.items()):
        room += [f".globl {label}", f"{label}:", f"    .space {size}"]
    head.append(f"    .long {len(found)}")
    table = "\n".join([*head, *offsets, *lines, *bits, unwinding, *room]) + "\n"
    return table + stub_names.table_source(stubs or {}, len(removable), pack_bits(removable))


def check_same_functions(first: bytes, second: bytes) -> None:
    """Raises SymbolError unless both ELFs have the same functions at the same addresses."""
    if functions(first) != functions(second):
        raise SymbolError(
            "the link with the symbol table moved functions: the linker script must put it last"
        )
