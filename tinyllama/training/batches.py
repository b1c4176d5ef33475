"""Cuts tokenised stories into windows and gathers windows of about one length into batches."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

# Batches come from pools of this many windows sorted by length: rows of one batch need little padding,
# yet a batch still mixes stories from the whole corpus.
POOL_WINDOWS = 2048
IGNORED = -100


@dataclass(frozen=True)
class Batch:
    """`inputs` and `targets` are (row, position); padded targets are IGNORED. `tokens` counts the others."""

    inputs: Tensor
    targets: Tensor
    tokens: int


def windows(ids: list[int], length: int) -> list[list[int]]:
    """Runs of at most `length` predictions, each with one id more than it predicts.

    Together they predict all of `ids` but the first; every window starts with an empty context.
    """
    return [ids[start : start + length + 1] for start in range(0, len(ids) - 1, length)]


def make_batch(rows: list[list[int]]) -> Batch:
    """Pads rows of ids to the longest. Padding comes last, so a causal model never sees it."""
    longest = max(map(len, rows)) - 1
    inputs = torch.zeros((len(rows), longest), dtype=torch.long)
    targets = torch.full((len(rows), longest), IGNORED)
    for row, ids in enumerate(rows):
        inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
        targets[row, : len(ids) - 1] = torch.tensor(ids[1:])
    return Batch(inputs, targets, sum(len(ids) - 1 for ids in rows))


def group_rows(rows: list[list[int]], batch_tokens: int) -> list[list[list[int]]]:
    """Rows sorted by length and cut into groups whose padded size is at most `batch_tokens` (or one row)."""
    groups: list[list[list[int]]] = []
    for row in sorted(rows, key=len):
        # Rows come in order of length, so this one sets the padded length of its group.
        if not groups or (len(groups[-1]) + 1) * (len(row) - 1) > batch_tokens:
            groups.append([])
        groups[-1].append(row)
    return groups


def epoch(rows: list[list[int]], batch_tokens: int, seed: int) -> Iterator[Batch]:
    """Every row once, in an order that depends only on `seed`."""
    shuffled = list(rows)
    generator = random.Random(seed)
    generator.shuffle(shuffled)
    groups: list[list[list[int]]] = []
    for start in range(0, len(shuffled), POOL_WINDOWS):
        groups += group_rows(shuffled[start : start + POOL_WINDOWS], batch_tokens)
    generator.shuffle(groups)
    for group in groups:
        yield make_batch(group)
