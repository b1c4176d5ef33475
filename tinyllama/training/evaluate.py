"""Measures bits per character of any llama2.c checkpoint on held-out stories."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from checkpoint import read_checkpoint
from corpus import read_stories
from scoring import bits_per_character
from tokenizer import read_tokenizer
from weights import to_model


def main() -> int:
    parser = argparse.ArgumentParser(description="Bits per character of a llama2.c checkpoint on stories.")
    parser.add_argument("model", type=Path, help="llama2.c checkpoint, version 0, 1 or 2")
    parser.add_argument("tokenizer", type=Path, help="its tokenizer file")
    parser.add_argument("stories", type=Path, help="held-out stories, as corpus.py writes them")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    stories = read_stories(args.stories)
    model = to_model(read_checkpoint(args.model))
    bits = bits_per_character(model, read_tokenizer(args.tokenizer), stories)
    print(f"{bits:.4f} bits per character, {len(stories)} stories, {sum(map(len, stories))} characters")
    return 0


if __name__ == "__main__":
    sys.exit(main())
