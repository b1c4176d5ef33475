"""Reads a story corpus and cuts it into training, validation and test stories that do not share text.

A corpus file is plain text (or .xz of it) with a line `<|endoftext|>` between stories. The stories are
shuffled before the cut, because the corpus lists its sources one after another, and training stories that
repeat a held-out story are dropped: the corpus was gathered from several places, and the same story may
appear twice with small differences.
"""

from __future__ import annotations

import argparse
import lzma
import random
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

SEPARATOR = "<|endoftext|>"
SHINGLE_WORDS = 8
# Unrelated stories share openings ("Once upon a time, there was a little girl named"): a few of about 150
# shingles.
DUPLICATE_CONTAINMENT = 0.2


@dataclass(frozen=True)
class Split:
    """Disjoint sets of stories; `dropped` training stories were near-duplicates of held-out ones."""

    train: list[str]
    validation: list[str]
    test: list[str]
    dropped: int


def read_stories(path: Path) -> list[str]:
    """Returns the stories of a corpus file, stripped, in file order."""
    data = path.read_bytes()
    text = (lzma.decompress(data) if path.suffix == ".xz" else data).decode("utf-8")
    stories = [story.strip() for story in text.split(SEPARATOR)]
    return [story for story in stories if story]


def write_stories(path: Path, stories: list[str]) -> None:
    """Writes stories in the format that read_stories() reads."""
    path.write_text(f"\n{SEPARATOR}\n".join(stories) + "\n", encoding="utf-8")


def shingles(story: str) -> set[int]:
    """Hashes of every run of SHINGLE_WORDS words, case and punctuation ignored."""
    words = "".join(c if c.isalnum() else " " for c in story.lower()).split()
    count = max(1, len(words) - SHINGLE_WORDS + 1)
    return {hash(tuple(words[i : i + SHINGLE_WORDS])) for i in range(count)}


def split_stories(stories: list[str], validation: int, test: int, seed: int) -> Split:
    """Shuffles, cuts off the held-out stories, and drops training stories that share text with one of them.

    A training story is a near-duplicate when it shares at least DUPLICATE_CONTAINMENT of the shingles of the
    shorter of the two stories, so a fragment of a held-out story counts as well.
    """
    if len(stories) <= validation + test:
        raise ValueError(
            f"the corpus has {len(stories)} stories; {validation + test} held out leave none to train on"
        )
    shuffled = list(stories)
    random.Random(seed).shuffle(shuffled)
    held_out = shuffled[: validation + test]
    held_out_shingles = [shingles(story) for story in held_out]
    owners: dict[int, list[int]] = {}
    for index, hashes in enumerate(held_out_shingles):
        for value in hashes:
            owners.setdefault(value, []).append(index)

    def repeats_held_out(story: str) -> bool:
        own = shingles(story)
        shared = Counter(index for value in own for index in owners.get(value, ()))
        return any(
            count >= DUPLICATE_CONTAINMENT * min(len(own), len(held_out_shingles[index]))
            for index, count in shared.items()
        )

    candidates = shuffled[validation + test :]
    train = [story for story in candidates if not repeats_held_out(story)]
    return Split(train, held_out[:validation], held_out[validation:], len(candidates) - len(train))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("corpus", type=Path, help="text or .xz file of stories")
    parser.add_argument("out", type=Path, help="folder for train.txt, validation.txt and test.txt")
    parser.add_argument("--validation", type=int, default=250, help="stories watched during training")
    parser.add_argument("--test", type=int, default=750, help="stories kept for the final score")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    split = split_stories(read_stories(args.corpus), args.validation, args.test, args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    for name in ("train", "validation", "test"):
        stories: list[str] = getattr(split, name)
        write_stories(args.out / f"{name}.txt", stories)
        print(f"{name}: {len(stories)} stories, {sum(map(len, stories))} characters")
    print(f"dropped as near-duplicates of held-out stories: {split.dropped}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
