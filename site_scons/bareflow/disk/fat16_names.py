"""File names on FAT16: 8.3 short names, the case bits of Windows NT, and VFAT long-name entries."""

import struct

from bareflow.disk.fat16_layout import (
    ATTRIBUTE_LONG_NAME,
    CASE_BASE_LOWER,
    CASE_EXTENSION_LOWER,
    ENTRY,
    NAME_OFFSETS,
    Fat16Error,
)

_SHORT_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'()-@^_`{}~")
_FORBIDDEN = frozenset('"*/:<>?\\|')
_LAST_LONG_ENTRY = 0x40


def _pack_short(base: str, extension: str) -> bytes:
    return (base.ljust(8) + extension.ljust(3)).encode("ascii")


def _lower_case_bits(base: str, extension: str) -> int | None:
    """The case byte that shows this name exactly, or None when it mixes cases within a part."""
    bits = 0
    for part, bit in ((base, CASE_BASE_LOWER), (extension, CASE_EXTENSION_LOWER)):
        if part == part.upper():
            continue
        if part != part.lower():
            return None
        bits |= bit
    return bits


def _long_name_entries(name: str, short: bytes) -> bytes:
    """The VFAT entries that stand before the short entry, last part first."""
    checksum = 0
    for byte in short:
        checksum = ((checksum & 1) << 7 | checksum >> 1) + byte & 0xFF
    units = list(struct.unpack(f"<{len(name.encode('utf-16-le')) // 2}H", name.encode("utf-16-le")))
    if len(units) > 255:
        raise Fat16Error(f"the file name '{name}' is longer than FAT's 255 characters")
    if len(units) % 13:
        units.append(0)
        units.extend([0xFFFF] * (-len(units) % 13))
    entries = []
    count = len(units) // 13
    for number in range(count, 0, -1):
        entry = bytearray(ENTRY)
        entry[0] = number | (_LAST_LONG_ENTRY if number == count else 0)
        entry[11] = ATTRIBUTE_LONG_NAME
        entry[13] = checksum
        for offset, unit in zip(NAME_OFFSETS, units[(number - 1) * 13 : number * 13], strict=True):
            struct.pack_into("<H", entry, offset, unit)
        entries.append(bytes(entry))
    return b"".join(entries)


def encode_name(name: str, taken: set[bytes]) -> tuple[bytes, int, bytes]:
    """Chooses how a name is stored in a directory whose short names so far are `taken`.

    Gives the 11-byte short name (and adds it to `taken`), the case byte, and the long-name entries, which are
    empty when the short name alone shows the name exactly.
    """
    if not name or name in (".", "..") or _FORBIDDEN & set(name) or min(map(ord, name)) < 32:
        raise Fat16Error(f"'{name}' is no valid file name on FAT16")
    base, _, extension = name.rpartition(".") if "." in name else (name, "", "")
    upper_base, upper_extension = base.upper(), extension.upper()
    fits = (
        0 < len(base) <= 8 and len(extension) <= 3 and set(upper_base + upper_extension) <= _SHORT_CHARACTERS
    )
    if fits:
        short = _pack_short(upper_base, upper_extension)
        if short in taken:
            raise Fat16Error(f"'{name}' is in the same folder twice (FAT16 does not tell cases apart)")
        taken.add(short)
        bits = _lower_case_bits(base, extension)
        return (short, bits, b"") if bits is not None else (short, 0, _long_name_entries(name, short))
    stem = "".join(c for c in upper_base if c in _SHORT_CHARACTERS) or "FILE"
    tail = "".join(c for c in upper_extension if c in _SHORT_CHARACTERS)[:3]
    for number in range(1, 1_000_000):
        suffix = f"~{number}"
        short = _pack_short(stem[: 8 - len(suffix)] + suffix, tail)
        if short not in taken:
            taken.add(short)
            return short, 0, _long_name_entries(name, short)
    raise Fat16Error(f"no short name is left for '{name}'")


def decode_short(short: bytes, case: int) -> str:
    """The name that an 11-byte short name and its case byte show."""
    base = short[:8].decode("ascii").rstrip()
    extension = short[8:].decode("ascii").rstrip()
    if case & CASE_BASE_LOWER:
        base = base.lower()
    if case & CASE_EXTENSION_LOWER:
        extension = extension.lower()
    return f"{base}.{extension}" if extension else base
