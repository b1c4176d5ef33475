"""Unsigned LEB128 (DWARF 5, 7.6), in which the build's tables have their numbers: kernel_lib/leb128.h."""

_MORE = 0x80


def leb128(value: int) -> bytes:
    """7 bits a byte, the lowest first; bit 7: more follow."""
    out = bytearray()
    while value >= _MORE:
        out.append(value & _MORE - 1 | _MORE)
        value >>= 7
    out.append(value)
    return bytes(out)
