"""Streams of kernel files, unpacked by Python's lzma and put together as boot/streams/streams.h has it."""

from __future__ import annotations

import lzma

from bareflow.kernel.streams import (
    CALLS,
    DATA,
    DISPLACEMENTS8,
    DISPLACEMENTS32,
    IMMEDIATES,
    IMMEDIATES8,
    IMMEDIATES32,
    JUMPS8,
    JUMPS32,
    MODRM,
    OPCODES,
    RELATIVE,
    SIB,
)

# What follows an opcode, in the order of Intel's opcode maps: m ModRM, b an immediate of 8 bits, z one of 32,
# M and Z ModRM and the immediate, v one of 32 or 64 bits, a an address, j a jump by 8 bits, J by 32,
# c a call, g and G the groups F6 and F7, of which only TEST has an immediate.
_ONE_BYTE = (
    "mmmmbz..mmmmbz.." * 4
    + "................" * 2
    + "..mm....zZbM...."
    + "jjjjjjjjjjjjjjjj"
    + "MZMMmmmmmmmmmmmm"
    + "................"
    + "aaaa....bz......"
    + "bbbbbbbbvvvvvvvv"
    + "MM..mmMZ.....b.."
    + "mmmmbb..mmmmmmmm"
    + "jjjjbbbbcJ.j...."
    + "......gG......mm"
)
_TWO_BYTES = (
    "mmmmm.......mm.m"
    + "mmmmmmmmmmmmmmmm" * 2
    + "........mmmmmmmm"
    + "mmmmmmmmmmmmmmmm" * 3
    + "MMMMmmm.mmmmmmmm"
    + "JJJJJJJJJJJJJJJJ"
    + "mmmmmmmmmmmmmmmm"
    + "...mMmmm...mMmmm"
    + "mmmmmmmmmmMmmmmm"
    + "mmMmMMMm........"
    + "mmmmmmmmmmmmmmmm" * 3
)
_MAPS = (_ONE_BYTE, _TWO_BYTES, "m" * 256, "M" * 256)


class _Merger:
    def __init__(self, streams: list[bytes], *, is_64_bit: bool) -> None:
        self.streams, self.is_64_bit = streams, is_64_bit
        self.at = [0] * len(streams)
        self.code = bytearray()

    def take(self, stream: int, size: int = 1) -> bytes:
        at = self.at[stream]
        piece = self.streams[stream][at : at + size]
        assert len(piece) == size, f"stream {stream} is too short"
        self.at[stream] += size
        self.code += piece
        return piece

    def take32(self, stream: int) -> int:
        """Where in the code it is."""
        piece = self.take(stream, 4)
        self.code[-4:] = piece[::-1]
        return len(self.code) - 4

    def to_distance(self, at: int) -> None:
        target = int.from_bytes(self.code[at : at + 4], "little")
        self.code[at : at + 4] = ((target - len(self.code)) % (1 << 32)).to_bytes(4, "little")

    def instructions(self) -> list[int]:
        """Puts all together. Returns where the instructions begin."""
        starts = []
        while self.at[OPCODES] < len(self.streams[OPCODES]):
            starts.append(len(self.code))
            if self.is_64_bit and self.streams[OPCODES][self.at[OPCODES]] == 0:
                self.at[OPCODES] += 1
            self.instruction()
            while self.at[OPCODES] % (4 if self.is_64_bit else 2):
                assert self.streams[OPCODES][self.at[OPCODES]] == 0
                self.at[OPCODES] += 1
        assert self.at[:DATA] == [len(stream) for stream in self.streams[:DATA]], "bytes are left over"
        return starts

    def instruction(self) -> None:
        (opcode,) = self.take(OPCODES)
        operand16 = wide = False
        while opcode in b"\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf1\xf2\xf3" or self.is_rex(opcode):
            operand16 |= opcode == 0x66
            wide = self.is_rex(opcode) and bool(opcode & 8)
            (opcode,) = self.take(OPCODES)
        table, opcode = self.opcode_map(opcode)
        what, relative = _MAPS[table][opcode], None
        if what in "mMZgG":
            (modrm,) = self.take(MODRM if table else OPCODES)
            if what in "gG":
                what = {"g": "b", "G": "z"}[what] if modrm >> 3 & 7 < 2 else "m"
            relative = self.operand(modrm)
        self.rest(what, operand16=operand16, wide=wide)
        if relative is not None:
            self.to_distance(relative)

    def is_rex(self, opcode: int) -> bool:
        return self.is_64_bit and opcode >> 4 == 4

    def opcode_map(self, opcode: int) -> tuple[int, int]:
        if opcode == 0x0F:
            (opcode,) = self.take(OPCODES)
            if opcode in (0x38, 0x3A):
                return (2 if opcode == 0x38 else 3), self.take(OPCODES)[0]
            return 1, opcode
        if self.is_64_bit and opcode in (0xC4, 0xC5, 0x62):
            vex = self.take(OPCODES, {0xC5: 1, 0xC4: 2, 0x62: 3}[opcode])
            return (1 if opcode == 0xC5 else vex[0] % 4), self.take(OPCODES)[0]
        return 0, opcode

    def operand(self, modrm: int) -> int | None:
        mode, base = modrm >> 6, modrm % 8
        if mode == 3:
            return None
        is_relative = self.is_64_bit and (mode, base) == (0, 5)
        if base == 4:
            base = self.take(SIB)[0] % 8
        if is_relative:
            return self.take32(RELATIVE)
        if mode == 1:
            self.take(DISPLACEMENTS8)
        elif mode == 2 or base == 5:
            self.take32(DISPLACEMENTS32)
        return None

    def rest(self, what: str, *, operand16: bool, wide: bool) -> None:
        if what in "bM":
            self.take(IMMEDIATES8)
        elif what == "j":
            self.take(JUMPS8)
        elif what in "cJ":
            self.to_distance(self.take32(CALLS if what == "c" else JUMPS32))
        elif what == "a" and not self.is_64_bit:
            self.take32(DISPLACEMENTS32)
        elif what == "a" or (what == "v" and wide):
            self.take(IMMEDIATES, 8)
        elif what in "zZv" and operand16 and not wide:
            self.take(IMMEDIATES, 2)
        elif what in "zZv":
            self.take32(IMMEDIATES32)


def merged(streams: list[bytes], *, is_64_bit: bool) -> bytes:
    """The image of these streams."""
    merger = _Merger(streams, is_64_bit=is_64_bit)
    merger.instructions()
    return bytes(merger.code) + streams[DATA]


def instruction_starts(streams: list[bytes], *, is_64_bit: bool) -> list[int]:
    """Where the instructions of these streams begin, with their prefixes."""
    return _Merger(streams, is_64_bit=is_64_bit).instructions()


def stored_streams(packed: bytes) -> list[bytes]:
    """The streams in what is behind a kernel file's header."""
    streams, at = [], 0
    for _ in range(DATA + 1):
        word, at = int.from_bytes(packed[at : at + 4], "little"), at + 4
        size, properties = word % (1 << 24), word >> 24
        lc, lp, pb = properties % 9, properties // 9 % 5, properties // 45
        filters = [{"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": max(4096, size)}]
        decoder = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
        stream = decoder.decompress(b"\0") if size else b""
        while len(stream) < size:  # a byte at a time: only then does it tell how many it took
            stream += decoder.decompress(packed[at : at + 1])
            at += 1
        streams.append(stream)
    assert at == len(packed), "bytes are left over"
    return streams
