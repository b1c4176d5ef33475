"""Generates stories with a llama2.c checkpoint and llama2.c's sampler, one for every seed.

It computes each token over the whole text before it, which is slow but has no cache that could be wrong.
Float sums run in another order than in the native program, so a long text may part from the native one at a
close decision.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from checkpoint import read_checkpoint
from model import Llama
from tokenizer import BOS, Tokenizer, read_tokenizer
from weights import to_model

EOS = 2
_MASK = (1 << 64) - 1


class Sampler:
    """Temperature and top-p sampling with xorshift64* random numbers, as in llama2.c."""

    def __init__(self, temperature: float, topp: float, seed: int) -> None:
        self.temperature = temperature
        self.topp = topp
        self._state = seed

    def random(self) -> float:
        """A number in [0, 1) of 24 bits."""
        self._state ^= self._state >> 12
        self._state ^= (self._state << 25) & _MASK
        self._state ^= self._state >> 27
        return ((self._state * 0x2545F4914F6CDD1D & _MASK) >> 32 >> 8) / 16777216.0

    def choose(self, logits: npt.NDArray[np.float32]) -> int:
        """The next token."""
        if self.temperature == 0.0:
            return int(logits.argmax())
        scaled = logits / np.float32(self.temperature)
        probabilities = np.exp(scaled - scaled.max())
        probabilities /= probabilities.sum()
        coin = self.random()
        order = np.argsort(-probabilities, kind="stable")
        if not 0.0 < self.topp < 1.0:
            order = np.arange(len(probabilities))
        sums = np.cumsum(probabilities[order])
        last = len(order) - 1
        if 0.0 < self.topp < 1.0:
            last = min(last, int(np.searchsorted(sums, self.topp, side="right")))
            coin *= float(sums[last])
        return int(order[min(last, int(np.searchsorted(sums, coin, side="right")))])


def generate(model: Llama, tokenizer: Tokenizer, sampler: Sampler, prompt: str, steps: int) -> bytes:
    """The prompt and what follows, until BOS, EOS, `steps` tokens or the end of the context."""
    ids = tokenizer.encode(prompt)
    limit = min(steps, model.config.max_seq_len)
    with torch.inference_mode():
        while len(ids) <= limit:
            token = sampler.choose(model(torch.tensor([ids]))[0, -1].numpy())
            if token in (BOS, EOS):
                break
            ids.append(token)
    return tokenizer.decode(ids[1:])


def main() -> int:
    parser = argparse.ArgumentParser(description="Generates one story for every seed.")
    parser.add_argument("model", type=Path, help="llama2.c checkpoint, version 0, 1 or 2")
    parser.add_argument("tokenizer", type=Path, help="its tokenizer file")
    parser.add_argument("--prompt", default="")
    parser.add_argument("--steps", type=int, default=512, help="most tokens of a story")
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--topp", type=float, default=0.9)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(1, 11)))
    args = parser.parse_args()
    torch.set_num_threads(1)
    model = to_model(read_checkpoint(args.model))
    tokenizer = read_tokenizer(args.tokenizer)
    for seed in args.seeds:
        sampler = Sampler(args.temperature, args.topp, seed)
        print(f"--- seed {seed}")
        sys.stdout.flush()
        sys.stdout.buffer.write(generate(model, tokenizer, sampler, args.prompt, args.steps) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
