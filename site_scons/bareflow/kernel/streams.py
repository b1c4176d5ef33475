"""An image in streams, packed by LZMA: what boot/streams/streams.h describes and unpacks.

Python's lzma ends a stream with a marker. The loader knows each stream's size, so the marker is left out, and
the first byte, which is always 0.
"""

import lzma
from dataclasses import dataclass

from bareflow.layouts import read_header

_CONTRACT = read_header("boot/streams/stream_numbers.h")
STREAMS = _CONTRACT["STREAMS"]
MARGIN = _CONTRACT["STREAMS_MARGIN"]
WORD = 4
RECORD = {True: _CONTRACT["STREAM_RECORD_64"], False: _CONTRACT["STREAM_RECORD_32"]}
"""By whether the code is 64-bit."""
SIZE_BITS = _CONTRACT["STREAM_SIZE_BITS"]
OPCODES = _CONTRACT["STREAM_OPCODES"]
MODRM = _CONTRACT["STREAM_MODRM"]
SIB = _CONTRACT["STREAM_SIB"]
DISPLACEMENTS8 = _CONTRACT["STREAM_DISPLACEMENTS8"]
DISPLACEMENTS32 = _CONTRACT["STREAM_DISPLACEMENTS32"]
RELATIVE = _CONTRACT["STREAM_RELATIVE"]
IMMEDIATES8 = _CONTRACT["STREAM_IMMEDIATES8"]
IMMEDIATES32 = _CONTRACT["STREAM_IMMEDIATES32"]
IMMEDIATES = _CONTRACT["STREAM_IMMEDIATES"]
CALLS = _CONTRACT["STREAM_CALLS"]
JUMPS32 = _CONTRACT["STREAM_JUMPS32"]
JUMPS8 = _CONTRACT["STREAM_JUMPS8"]
DATA = _CONTRACT["STREAM_DATA"]

_PROPERTIES = (
    (3, 0, 0),
    (4, 0, 0),
    (2, 0, 0),
    (1, 0, 0),
    (0, 0, 0),
    (4, 0, 2),
    (0, 0, 1),
    (0, 0, 2),
    (1, 2, 2),
    (0, 2, 2),
    (2, 2, 2),
    (2, 1, 1),
)
"""lc, lp and pb that are tried for each stream."""
_QUICK = {"mode": lzma.MODE_FAST, "mf": lzma.MF_HC4, "nice_len": 32, "depth": 8}
"""The search for matches by which the properties are compared."""
_SEARCHES = (
    {"mf": lzma.MF_BT2, "nice_len": 16},
    {"mf": lzma.MF_BT2, "nice_len": 32},
    {"mf": lzma.MF_BT4, "nice_len": 273},
)
"""Those that are tried with the best ones: from a match of nice_len bytes on none is looked for that is
longer. Which is best is chance."""
_BEST = 2


def _opcodes(*ranges: int | tuple[int, int]) -> frozenset[int]:
    """These opcodes, and those from the first to the second of each pair."""
    pairs = ((r, r) if isinstance(r, int) else r for r in ranges)
    return frozenset(opcode for first, last in pairs for opcode in range(first, last + 1))


# Intel SDM vol. 2, tables.
_ARITHMETIC = range(0, 0x40, 8)
_MODRM = (
    _opcodes(*((first, first + 3) for first in _ARITHMETIC))
    | _opcodes(0x62, 0x63, 0x69, 0x6B, (0x80, 0x8F), 0xC0, 0xC1, (0xC4, 0xC7), (0xD0, 0xD3), (0xD8, 0xDF))
    | _opcodes(0xF6, 0xF7, 0xFE, 0xFF)
)
_IMMEDIATE8 = _opcodes(*(first + 4 for first in _ARITHMETIC)) | _opcodes(
    0x6A, 0x6B, 0x80, 0x82, 0x83, 0xA8, (0xB0, 0xB7), 0xC0, 0xC1, 0xC6, 0xCD, 0xD4, 0xD5, (0xE4, 0xE7)
)
_IMMEDIATE32 = _opcodes(*(first + 5 for first in _ARITHMETIC)) | _opcodes(
    0x68, 0x69, 0x81, 0xA9, (0xB8, 0xBF), 0xC7
)
_JUMP8 = _opcodes((0x70, 0x7F), (0xE0, 0xE3), 0xEB)
_ADDRESS = _opcodes((0xA0, 0xA3))
_TWO_BYTES_WITHOUT_MODRM = _opcodes(
    (0x05, 0x0B), 0x0E, (0x30, 0x37), 0x77, (0x80, 0x8F), (0xA0, 0xA2), (0xA8, 0xAA), (0xC8, 0xCF)
)
_TWO_BYTES_IMMEDIATE8 = _opcodes((0x70, 0x73), 0xA4, 0xAC, 0xBA, 0xC2, (0xC4, 0xC6))
_PREFIXES = _opcodes(0x26, 0x2E, 0x36, 0x3E, (0x64, 0x67), (0xF0, 0xF3))
_REX = _opcodes((0x40, 0x4F))
_VEX = _opcodes(0xC4, 0xC5, 0x62)
_ONE_BYTE, _TWO_BYTES, _MAP_38, _MAP_3A = range(4)


class _EndOfCode(Exception):
    """An instruction is not all there."""


class _Splitter:
    """Reads code; appends to (stream, bytes) what each piece of an instruction is."""

    def __init__(self, code: bytes, *, is_64_bit: bool) -> None:
        self.code, self.is_64_bit = code, is_64_bit
        self.at = 0
        self.pieces: list[tuple[int, bytes]] = []
        self.streams = [bytearray() for _ in range(STREAMS)]

    def take(self, stream: int, size: int = 1) -> bytes:
        piece = self.code[self.at : self.at + size]
        if len(piece) < size:
            raise _EndOfCode
        self.at += size
        self.pieces.append((stream, piece))
        return piece

    def take32(self, stream: int) -> None:
        piece = self.take(stream, 4)
        self.pieces[-1] = stream, piece[::-1]

    def split(self) -> list[bytes]:
        prefixes = _PREFIXES | (_REX if self.is_64_bit else frozenset())
        done = 0
        try:
            while self.at < len(self.code):
                is_wide = has_operands16 = False
                while (byte := self.take(OPCODES)[0]) in prefixes:
                    is_wide = 0x48 <= byte <= 0x4F
                    has_operands16 |= byte == 0x66
                self._instruction(byte, is_wide=is_wide, has_operands16=has_operands16)
                done = self.at
                self._store_pieces()
        except _EndOfCode:
            pass
        self.streams[DATA] += self.code[done:]
        return [bytes(stream) for stream in self.streams]

    def _store_pieces(self) -> None:
        if self.is_64_bit and self.pieces[0][1][0] not in _PREFIXES | _REX | _VEX | {0x0F}:
            self.streams[OPCODES] += b"\0"
        for stream, piece in self.pieces:
            self.streams[stream] += piece
        self.pieces.clear()
        self.streams[OPCODES] += bytes(-len(self.streams[OPCODES]) % RECORD[self.is_64_bit])

    def _instruction(self, opcode: int, *, is_wide: bool, has_operands16: bool) -> None:
        kind, opcode = self._rest_of_opcode(opcode)
        byte = {_ONE_BYTE: _IMMEDIATE8, _TWO_BYTES: _TWO_BYTES_IMMEDIATE8}.get(kind, ())
        has_immediate8 = kind == _MAP_3A or opcode in byte
        has_immediate32 = kind == _ONE_BYTE and opcode in _IMMEDIATE32
        relative = None
        if self._has_modrm(kind, opcode):
            modrm = self.take(OPCODES if kind == _ONE_BYTE else MODRM)[0]
            if kind == _ONE_BYTE and opcode in (0xF6, 0xF7) and not modrm & 0x30:  # TEST
                has_immediate8, has_immediate32 = opcode == 0xF6, opcode == 0xF7
            relative = self._operand(modrm)
        if has_immediate8:
            self.take(IMMEDIATES8)
        elif kind == _ONE_BYTE:
            self._immediate(opcode, has_immediate32, is_wide=is_wide, has_operands16=has_operands16)
        elif kind == _TWO_BYTES and opcode & 0xF0 == 0x80:
            self._distance(JUMPS32)
        if relative is not None:
            self._make_absolute(relative)

    def _rest_of_opcode(self, opcode: int) -> tuple[int, int]:
        """The map of the opcode, and its last byte."""
        if opcode == 0x0F:
            opcode = self.take(OPCODES)[0]
            if opcode not in (0x38, 0x3A):
                return _TWO_BYTES, opcode
            return (_MAP_38 if opcode == 0x38 else _MAP_3A), self.take(OPCODES)[0]
        if not self.is_64_bit or opcode not in (0xC5, 0xC4, 0x62):
            return _ONE_BYTE, opcode
        payload = self.take(OPCODES, {0xC5: 1, 0xC4: 2, 0x62: 3}[opcode])
        return (_TWO_BYTES if opcode == 0xC5 else payload[0] & 3), self.take(OPCODES)[0]

    @staticmethod
    def _has_modrm(kind: int, opcode: int) -> bool:
        if kind == _TWO_BYTES:
            return opcode not in _TWO_BYTES_WITHOUT_MODRM
        return kind != _ONE_BYTE or opcode in _MODRM

    def _operand(self, modrm: int) -> int | None:
        """What follows a ModRM byte. Returns which piece is relative to the instruction's end, if one is."""
        mode, base = modrm >> 6, modrm & 7
        has_sib = mode != 3 and base == 4
        if has_sib:
            base = self.take(SIB)[0] & 7
        if mode == 1:
            self.take(DISPLACEMENTS8)
        elif mode == 2 or (mode == 0 and base == 5):
            is_relative = self.is_64_bit and mode == 0 and not has_sib
            self.take32(RELATIVE if is_relative else DISPLACEMENTS32)
            return len(self.pieces) - 1 if is_relative else None
        return None

    def _immediate(self, opcode: int, has_immediate32: bool, *, is_wide: bool, has_operands16: bool) -> None:
        """The immediate, not one of 8 bits, or the distance of a one-byte opcode."""
        if opcode in _JUMP8:
            self.take(JUMPS8)
        elif opcode in (0xE8, 0xE9):
            self._distance(CALLS if opcode == 0xE8 else JUMPS32)
        elif opcode in _ADDRESS and not self.is_64_bit:
            self.take32(DISPLACEMENTS32)
        elif opcode in _ADDRESS or (0xB8 <= opcode <= 0xBF and is_wide):
            self.take(IMMEDIATES, 8)
        elif has_immediate32 and has_operands16 and not is_wide:
            self.take(IMMEDIATES, 2)
        elif has_immediate32:
            self.take32(IMMEDIATES32)

    def _distance(self, stream: int) -> None:
        self.take32(stream)
        self._make_absolute(len(self.pieces) - 1)

    def _make_absolute(self, piece: int) -> None:
        stream, distance = self.pieces[piece]
        target = (int.from_bytes(distance, "big") + self.at) & 0xFFFFFFFF
        self.pieces[piece] = stream, target.to_bytes(4, "big")


def split(code: bytes, data: bytes, *, is_64_bit: bool) -> list[bytes]:
    """The streams of an image of code and data. What is taken for code may be anything."""
    streams = _Splitter(code, is_64_bit=is_64_bit).split()
    streams[DATA] += data
    return streams


def _filters(size: int, properties: tuple[int, int, int], **search: int) -> list[dict[str, int]]:
    lc, lp, pb = properties
    coder = {"id": lzma.FILTER_LZMA1, "preset": 9 | lzma.PRESET_EXTREME, "lc": lc, "lp": lp, "pb": pb}
    return [coder | {"nice_len": 273, "depth": 1000, "dict_size": max(4096, size)} | search]


@dataclass(frozen=True)
class _Packed:
    """A stream as stored."""

    word: int
    stored: bytes
    unpacked: list[int]
    """How many bytes can be unpacked of the first 0, 1, 2... bytes."""


def _pack_stream(stream: bytes) -> _Packed:
    if not stream:
        return _Packed(0, b"", [0])

    def packed_by(properties: tuple[int, int, int], **search: int) -> tuple[int, tuple[int, int, int], bytes]:
        filters = _filters(len(stream), properties, **search)
        packed = lzma.compress(stream, lzma.FORMAT_RAW, filters=filters)
        return len(packed), properties, packed

    best = sorted(packed_by(properties, **_QUICK) for properties in _PROPERTIES)[:_BEST]
    _, (lc, lp, pb), packed = min(
        packed_by(properties, **search) for _, properties, _ in best for search in _SEARCHES
    )
    decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filters(len(stream), (lc, lp, pb)))
    unpacked = [len(decoder.decompress(packed[:1]))]
    while unpacked[-1] < len(stream):
        at = len(unpacked)
        unpacked.append(unpacked[-1] + len(decoder.decompress(packed[at : at + 1])))
    word = len(stream) | ((pb * 5 + lp) * 9 + lc) << SIZE_BITS
    return _Packed(word, packed[1 : len(unpacked)], unpacked)


def pack(code: bytes, data: bytes, *, is_64_bit: bool) -> tuple[bytes, int]:
    """What is behind a kernel file's header; and bytes of memory from where the streams are unpacked to the
    end of what is packed, so that no byte is overwritten that is not yet read."""
    stored, unpacked, lead = bytearray(), 0, 0
    for stream in map(_pack_stream, split(code, data, is_64_bit=is_64_bit)):
        stored += stream.word.to_bytes(WORD, "little")
        ahead = max(size - read for read, size in enumerate(stream.unpacked))
        lead = max(lead, unpacked - len(stored) + ahead)
        stored += stream.stored
        unpacked += stream.unpacked[-1]
    return bytes(stored), lead + len(stored)
