"""The names of the functions that are trap stubs, as the trimmed kernel carries them: by the id in the stub.

Layout of the table (kernel_lib/removed/names.h): u32 count, u32 id[count] (ascending), then the names in the
same order, each ended by a zero byte.
"""

from collections.abc import Iterable, Mapping

from bareflow.kernel.link_map import InputSection
from bareflow.trim.removed import Removed
from bareflow.trim.removed_data import DATA_ID


class LinkedStubs:
    """The trap stubs that are linked, and the variables that are not."""

    def __init__(self, sections: Iterable[InputSection], removed: Iterable[Removed]) -> None:
        """`sections`: of the link's map."""
        stubs = {(entry.file, entry.section): entry for entry in removed}
        self.names = {entry.id: entry.symbol for entry in stubs.values() if entry.id >= DATA_ID}
        """By id."""
        self.addresses: set[int] = set()
        for section in sections:
            entry = stubs.get((section.file, section.name))
            if entry is not None:
                self.names[entry.id] = entry.symbol
                self.addresses.add(section.address)


def table_source(names: Mapping[int, str]) -> str:
    """The table of names by id as GNU assembler source."""
    head = [
        '.section .symbols.removed, "a", @progbits',
        ".balign 4",
        ".globl removed_names",
        "removed_names:",
        f"    .long {len(names)}",
    ]
    ids = [f"    .long {number:#x}" for number in sorted(names)]
    lines = [f'    .asciz "{names[number]}"' for number in sorted(names)]
    return "\n".join([*head, *ids, *lines]) + "\n"
