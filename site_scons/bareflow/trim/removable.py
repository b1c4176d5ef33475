"""Which functions the guest removes itself when they never run (kernel_lib/life/trim): those that the graph's
trim makes trap stubs of.

What dead_functions.py and trim_object.py learn from the objects, this reads from the link: of non-local names
the linked file has one definition each, and every section of LLVM's objects is one function.
"""

import io
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence

from elftools.elf.elffile import ELFFile

from bareflow.kernel.link_map import InputSection
from bareflow.kernel.symbol_table import FUNCTION, symbol_table
from bareflow.kernel.symbols import Function
from bareflow.layouts import read_header
from bareflow.trim.trimming import Trimming

_STUB_SIZE = read_header("kernel_lib/removed/trap_stub.h")["TRAP_STUB_SIZE"]
_PADDING = b"\xcc"
"""lld's, between functions."""
_BRANCHES = (b"\xe8", b"\xe9")
_BRANCH_SIZE = 5
_ARCHIVE_END = "("


def _names(file: ELFFile) -> dict[int, list[str]]:
    """Those of functions, by address."""
    names: dict[int, list[str]] = defaultdict(list)
    for symbol in symbol_table(file):
        if symbol.type == FUNCTION:
            names[symbol.value].append(symbol.name)
    return names


def _has_room(code: bytes) -> bool:
    """Whether the graph's trim makes a stub of a function with this code: of a shorter one it does if that
    refers to something, as a single call or jump does."""
    return len(code) >= _STUB_SIZE or (len(code) == _BRANCH_SIZE and code.startswith(_BRANCHES))


def removable(
    elf: bytes,
    functions: Sequence[Function],
    sections: Iterable[InputSection],
    trimming: Trimming,
) -> list[bool]:
    """For each of the functions, which are all of the linked ELF by address: whether it may be removed.

    `sections`: of the link's map. Only a library's function up to whose successor there is nothing but
    padding may be removed.
    """
    file = ELFFile(io.BytesIO(elf))
    (text,) = (section for section in file.iter_sections() if section.name == ".text")
    code, start = text.data(), text["sh_addr"]
    names = _names(file)
    chance = re.compile("|".join(trimming.by_chance) or r"(?!)")
    addresses = [function.address for function in functions]
    found = [False] * len(functions)
    for section in sections:
        archive, is_member, _ = section.file.partition(_ARCHIVE_END)
        end = section.address + section.size
        index = bisect_left(addresses, section.address)
        if section.output != text.name or addresses[index : index + 1] != [section.address]:
            continue
        after = addresses[index + 1] if index + 1 < len(addresses) else start + len(code)
        found[index] = (
            after >= end
            and functions[index].sized
            and not code[end - start : after - start].strip(_PADDING)
            and archive not in trimming.whole
            and is_member != ""
            and not any(map(chance.search, names[section.address]))
            and _has_room(code[section.address - start : end - start])
        )
    return found
