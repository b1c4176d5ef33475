"""The llama2.c tokenizer file and its greedy byte-pair encoding.

File: int32 longest piece in bytes; then for every piece float32 score, int32 length, the bytes.
Little-endian. Ids: 0 <unk>, 1 <s> (BOS), 2 </s> (EOS), 3..258 the bytes <0x00>..<0xFF>, then pieces of
text.
"""

from __future__ import annotations

import heapq
import re
import struct
from pathlib import Path

BOS = 1
FIRST_BYTE = 3
FIRST_TEXT_PIECE = FIRST_BYTE + 256
# A space begins a word, as in SentencePiece.
_WORD = re.compile(r" ?[^ ]+| ")


class Tokenizer:
    """Encodes and decodes as llama2.c does. Piece i is `pieces[i]`; a higher score merges earlier."""

    def __init__(self, pieces: list[bytes], scores: list[float]) -> None:
        if len(pieces) < FIRST_TEXT_PIECE or len(pieces) != len(scores):
            raise ValueError(f"a tokenizer needs at least {FIRST_TEXT_PIECE} pieces, each with a score")
        self.pieces = pieces
        self.scores = scores
        self._ids: dict[bytes, int] = {}
        for index, piece in enumerate(pieces):
            self._ids.setdefault(piece, index)
        # No merge can cross a word when no piece has a space inside, so words can be encoded one at a time.
        self._pieces_are_words = not any(b" " in piece[1:] for piece in pieces[FIRST_TEXT_PIECE:])
        self._cache: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """Token ids of `text` with BOS and SentencePiece's leading space before it."""
        ids = [BOS]
        if text:
            chunks = _WORD.findall(" " + text) if self._pieces_are_words else [" " + text]
            for chunk in chunks:
                if chunk not in self._cache:
                    self._cache[chunk] = self.merge(chunk)
                ids += self._cache[chunk]
        return ids

    def merge(self, text: str) -> list[int]:
        """Characters (or their bytes); then neighbours merge, best-scoring piece first, leftmost first."""
        ids: list[int] = []
        for character in text:
            raw = character.encode("utf-8")
            known = self._ids.get(raw)
            ids += [known] if known is not None else [byte + FIRST_BYTE for byte in raw]
        after = list(range(1, len(ids) + 1))
        before = list(range(-1, len(ids) - 1))
        heap: list[tuple[float, int, int, int, int]] = []

        def offer(left: int) -> None:
            right = after[left]
            if left >= 0 and right < len(ids):
                joint = self._ids.get(self.pieces[ids[left]] + self.pieces[ids[right]])
                if joint is not None:
                    heapq.heappush(heap, (-self.scores[joint], left, ids[left], ids[right], joint))

        for index in range(len(ids)):
            offer(index)
        while heap:
            _, left, left_id, right_id, joint = heapq.heappop(heap)
            right = after[left]
            if ids[left] != left_id or right >= len(ids) or ids[right] != right_id:
                continue
            ids[left] = joint
            ids[right] = -1
            after[left] = after[right]
            if after[left] < len(ids):
                before[after[left]] = left
            if before[left] >= 0:
                offer(before[left])
            offer(left)
        return [token for token in ids if token >= 0]

    def decode(self, ids: list[int]) -> bytes:
        """Text of ids that follow BOS: byte pieces become bytes, and the leading space goes."""
        text = b""
        for token in ids:
            if FIRST_BYTE <= token < FIRST_TEXT_PIECE:
                text += bytes([token - FIRST_BYTE])
            elif token >= FIRST_TEXT_PIECE:
                text += self.pieces[token]
        return text.removeprefix(b" ")


def special_pieces() -> list[bytes]:
    """The pieces that every vocabulary starts with; llama2.c has newlines around <s> and </s>."""
    return [b"<unk>", b"\n<s>\n", b"\n</s>\n"] + [f"<0x{byte:02X}>".encode() for byte in range(256)]


def write_tokenizer(path: Path, tokenizer: Tokenizer) -> None:
    """Writes a llama2.c tokenizer file."""
    data = struct.pack("<i", max(map(len, tokenizer.pieces)))
    for piece, score in zip(tokenizer.pieces, tokenizer.scores, strict=True):
        data += struct.pack("<fi", score, len(piece)) + piece
    path.write_bytes(data)


def read_tokenizer(path: Path) -> Tokenizer:
    """Reads a llama2.c tokenizer file; raises ValueError when it is cut short."""
    data = path.read_bytes()
    pieces: list[bytes] = []
    scores: list[float] = []
    offset = 4
    while offset < len(data):
        if offset + 8 > len(data):
            raise ValueError(f"{path}: piece {len(pieces)} is cut short")
        score, length = struct.unpack_from("<fi", data, offset)
        offset += 8
        if length < 0 or offset + length > len(data):
            raise ValueError(
                f"{path}: piece {len(pieces)} says it has {length} bytes, beyond the end of the file"
            )
        pieces.append(data[offset : offset + length])
        scores.append(score)
        offset += length
    return Tokenizer(pieces, scores)
