"""The names of the functions that are trap stubs, as the trimmed kernel carries them: by the id in the stub.

Layout of the table (kernel_lib/removed/names.h): u32 count, u32 id[count] (ascending), then the names in the
same order, each ended by a zero byte.

Behind it is the table by which full trims itself (kernel_lib/removed/removed_functions.h): u32 count of
functions, 16 bytes for a build id, a bit for each function (it may be removed), and as many bits for those
that were.
"""

from collections.abc import Iterable, Mapping

from bareflow.kernel.link_map import InputSection
from bareflow.trim.removed import Removed
from bareflow.trim.removed_data import DATA_ID

BUILD_ID_SIZE = 16


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


def table_source(names: Mapping[int, str], functions: int = 0, removable: bytes = b"") -> str:
    """The tables as GNU assembler source: names by id; a bit for each of the kernel's functions."""
    head = [
        '.section .symbols.removed, "a", @progbits',
        ".balign 4",
        ".globl removed_names",
        "removed_names:",
        f"    .long {len(names)}",
    ]
    ids = [f"    .long {number:#x}" for number in sorted(names)]
    lines = [f'    .asciz "{names[number]}"' for number in sorted(names)]
    bits = [".balign 4", ".globl removed_functions", f"removed_functions: .long {functions}"]
    bits += [f"    .space {BUILD_ID_SIZE}", *byte_lines(removable), f"    .space {len(removable)}"]
    return "\n".join([*head, *ids, *lines, *bits]) + "\n"


def byte_lines(data: bytes) -> list[str]:
    """Bytes as GNU assembler source."""
    return [f"    .byte {','.join(map(str, data[at : at + 32]))}" for at in range(0, len(data), 32)]
