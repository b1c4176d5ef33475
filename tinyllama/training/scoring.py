"""Bits per character of a model on whole stories."""

from __future__ import annotations

import math

import torch
from batches import IGNORED, group_rows, make_batch, windows
from model import Llama
from tokenizer import Tokenizer
from torch.nn import functional

BATCH_TOKENS = 8192


def bits_per_character(model: Llama, tokenizer: Tokenizer, stories: list[str]) -> float:
    """Bits that the model needs for the stories, over their number of characters.

    Each story is scored from BOS to its last token; a story longer than the context continues in a window
    that begins with the last token of the one before and nothing else.
    """
    rows = [row for story in stories for row in windows(tokenizer.encode(story), model.config.max_seq_len)]
    nats = 0.0
    model.eval()
    with torch.inference_mode():
        for group in group_rows(rows, BATCH_TOKENS):
            batch = make_batch(group)
            logits = model(batch.inputs).float()
            nats += functional.cross_entropy(
                logits.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORED, reduction="sum"
            ).item()
    model.train()
    return nats / math.log(2) / sum(map(len, stories))
