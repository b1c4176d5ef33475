"""Trains a byte-fallback BPE vocabulary and writes it as a llama2.c tokenizer file.

Text is first cut so that no piece mixes letters with punctuation and none has white space inside; a space
or a newline may begin a piece. llama2.c itself merges across any boundary for which there is a piece, so it
makes the same cuts without knowing them: a piece that crosses one is not in the vocabulary.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

from corpus import read_stories
from tokenizer import Tokenizer, special_pieces, write_tokenizer

_UNIT = re.compile(r"[ \n]?[^\W_]+|[ \n]?[^\s\w]+|\s|_")
Pair = tuple[str, str]


def count_units(stories: list[str]) -> Counter[str]:
    """How often each unit (a word or a run of punctuation) occurs; as in encoding, a space comes first."""
    counts: Counter[str] = Counter()
    for story in stories:
        counts.update(_UNIT.findall(" " + story))
    return counts


class MergeTrainer:
    """Byte-pair encoding over counted units: merges the most frequent neighbours, again and again."""

    def __init__(self, units: Counter[str]) -> None:
        self.symbols = [list(unit) for unit in units]
        self.counts = list(units.values())
        self.pair_counts: Counter[Pair] = Counter()
        self.pair_units: defaultdict[Pair, set[int]] = defaultdict(set)
        for index in range(len(self.symbols)):
            self._count(index, +1)

    def _count(self, index: int, sign: int) -> None:
        symbols = self.symbols[index]
        for pair in pairwise(symbols):
            self.pair_counts[pair] += sign * self.counts[index]
            if sign > 0:
                self.pair_units[pair].add(index)

    def merge_best(self) -> str | None:
        """Merges the most frequent pair everywhere; returns the new piece, or None when nothing repeats."""
        best, count = max(
            self.pair_counts.items(), key=lambda item: (item[1], item[0]), default=(("", ""), 0)
        )
        if count < 2:
            return None
        piece = "".join(best)
        for index in self.pair_units.pop(best):
            self._count(index, -1)
            self.symbols[index] = _join(self.symbols[index], best, piece)
            self._count(index, +1)
        del self.pair_counts[best]
        return piece


def _join(symbols: list[str], pair: Pair, piece: str) -> list[str]:
    joined: list[str] = []
    position = 0
    while position < len(symbols):
        if tuple(symbols[position : position + 2]) == pair:
            joined.append(piece)
            position += 2
        else:
            joined.append(symbols[position])
            position += 1
    return joined


def train_vocabulary(stories: list[str], size: int) -> Tokenizer:
    """A vocabulary of `size` pieces: specials and bytes, the characters of the stories, merges by rank."""
    units = count_units(stories)
    characters = sorted({character for unit in units for character in unit})
    pieces = special_pieces() + [character.encode("utf-8") for character in characters]
    if len(pieces) > size:
        raise ValueError(f"a vocabulary of {size} has no room for {len(pieces)} bytes and characters")
    scores = [0.0] * len(pieces)
    known = set(pieces)
    trainer = MergeTrainer(units)
    while len(pieces) < size:
        piece = trainer.merge_best()
        if piece is None:
            raise ValueError(f"the stories repeat too little for {size} pieces: there are {len(pieces)}")
        # Two different pairs may spell one piece; llama2.c knows a piece by its text, so it is listed once.
        if piece.encode("utf-8") not in known:
            known.add(piece.encode("utf-8"))
            pieces.append(piece.encode("utf-8"))
            scores.append(-float(len(pieces)))
    return Tokenizer(pieces, scores)


def main() -> int:
    parser = argparse.ArgumentParser(description="Trains a byte-fallback BPE vocabulary.")
    parser.add_argument("stories", type=Path, help="training stories, as corpus.py writes them")
    parser.add_argument("out", type=Path, help="tokenizer.bin to write")
    parser.add_argument("--size", type=int, default=1024, help="pieces, of which 259 are specials and bytes")
    args = parser.parse_args()
    stories = read_stories(args.stories)
    tokenizer = train_vocabulary(stories, args.size)
    write_tokenizer(args.out, tokenizer)
    sample = stories[: min(500, len(stories))]
    tokens = sum(len(tokenizer.encode(story)) - 1 for story in sample)
    print(f"{args.size} pieces; {sum(map(len, sample)) / tokens:.3f} characters a token")
    return 0


if __name__ == "__main__":
    sys.exit(main())
