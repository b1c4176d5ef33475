"""Writes a training checkpoint as an int8 llama2.c checkpoint (version 2)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from checkpoint import write_version_2
from model import Config, Llama
from weights import to_checkpoint


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Writes a training checkpoint as an int8 llama2.c checkpoint."
    )
    parser.add_argument("checkpoint", type=Path, help="checkpoint.pt, as train.py writes it")
    parser.add_argument("out", type=Path, help="model file to write")
    parser.add_argument("--group-size", type=int, default=64, help="weights that share a scale")
    args = parser.parse_args()
    saved = torch.load(args.checkpoint, weights_only=True)
    model = Llama(Config(**saved["shape"]))
    model.load_state_dict(saved["model"])
    write_version_2(args.out, to_checkpoint(model), args.group_size)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"{parameters} parameters, {args.out.stat().st_size} bytes, state {saved['state']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
