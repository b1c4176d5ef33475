"""Trains the story model on the CPU until a given time, and can be stopped and resumed.

The learning rate follows the clock, not a number of steps: training on a machine shared with other work
still ends its schedule on time. Matrices of the layers are trained with Muon, the embedding and the norms
with AdamW.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from batches import IGNORED, Batch, epoch, windows
from corpus import read_stories
from model import Config, Llama
from scoring import bits_per_character
from tokenizer import BOS, Tokenizer, read_tokenizer
from torch import Tensor
from torch.nn import functional

WARM_UP = 0.01
CHECKPOINT_SECONDS = 300.0
LOG_STEPS = 50


def learning_rate_factor(progress: float) -> float:
    """Share of the peak learning rate at `progress` 0..1: linear warm-up, then a cosine down to zero."""
    if progress < WARM_UP:
        return max(progress, 1e-4) / WARM_UP
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (progress - WARM_UP) / (1.0 - WARM_UP))))


class Clock:
    """Progress 0..1 from where training was resumed to its deadline."""

    def __init__(self, seconds: float, progress: float) -> None:
        self._start = time.monotonic()
        self._seconds = max(seconds, 1.0)
        self._first = progress

    def progress(self) -> float:
        passed = (time.monotonic() - self._start) / self._seconds
        return min(1.0, self._first + (1.0 - self._first) * passed)

    def elapsed(self) -> float:
        return time.monotonic() - self._start


class Trainer:
    """A model with its optimisers and what has to survive an interruption."""

    def __init__(self, config: Config, args: argparse.Namespace) -> None:
        torch.manual_seed(args.seed)
        self.model = Llama(config)
        self.model.initialise()
        matrices = [p for p in self.model.blocks.parameters() if p.dim() == 2]
        norms = [p for p in self.model.parameters() if p.dim() == 1]
        self.optimisers: list[torch.optim.Optimizer] = [
            torch.optim.Muon(matrices, lr=args.muon_lr, weight_decay=args.weight_decay, momentum=0.95),
            torch.optim.AdamW(
                [
                    {"params": [self.model.embedding.weight], "weight_decay": args.weight_decay},
                    {"params": norms, "weight_decay": 0.0},
                ],
                lr=args.adam_lr,
                betas=(0.9, 0.95),
                fused=True,
            ),
        ]
        self.peaks = [group["lr"] for optimiser in self.optimisers for group in optimiser.param_groups]
        self.state: dict[str, Any] = {"step": 0, "tokens": 0, "epoch": 0, "progress": 0.0, "seconds": 0.0}

    def set_learning_rate(self, factor: float) -> None:
        groups = [group for optimiser in self.optimisers for group in optimiser.param_groups]
        for group, peak in zip(groups, self.peaks, strict=True):
            group["lr"] = peak * factor

    def step(self, batch: Batch) -> Tensor:
        """One update; returns the mean loss of the batch in nats per token."""
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.model(batch.inputs)
        loss = functional.cross_entropy(
            logits.flatten(0, 1).float(), batch.targets.flatten(), ignore_index=IGNORED
        )
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.state["step"] += 1
        self.state["tokens"] += batch.tokens
        return loss.detach()

    def save(self, path: Path) -> None:
        """Writes the checkpoint beside `path` and renames it, so that a crash leaves the old one."""
        temporary = path.with_suffix(".tmp")
        torch.save(
            {
                "shape": asdict(self.model.config),
                "model": self.model.state_dict(),
                "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
                "state": self.state,
            },
            temporary,
        )
        temporary.replace(path)

    def load(self, path: Path) -> None:
        checkpoint = torch.load(path, weights_only=True)
        self.model.load_state_dict(checkpoint["model"])
        for optimiser, state in zip(self.optimisers, checkpoint["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self.state = checkpoint["state"]


def tokenise(tokenizer: Tokenizer, stories: list[str], length: int) -> list[list[int]]:
    """Training windows; a story ends with BOS, the sign to stop for llama2.c."""
    return [row for story in stories for row in windows([*tokenizer.encode(story), BOS], length)]


def train(trainer: Trainer, args: argparse.Namespace, tokenizer: Tokenizer) -> None:
    """Runs epochs until the clock has run out; logs a line of JSON per LOG_STEPS steps and validation."""
    rows = tokenise(tokenizer, read_stories(args.data / "train.txt"), trainer.model.config.max_seq_len)
    held_out = read_stories(args.data / "validation.txt")
    checkpoint = args.out / "checkpoint.pt"
    state = trainer.state
    clock = Clock(args.seconds, state["progress"])
    before, next_checkpoint = state["seconds"], CHECKPOINT_SECONDS
    log = (args.out / "log.jsonl").open("a", encoding="utf-8")

    def report(**values: float) -> None:
        values = {
            "step": state["step"],
            "tokens": state["tokens"],
            "seconds": round(state["seconds"]),
            **values,
        }
        print(json.dumps(values), file=log, flush=True)

    def validate() -> None:
        bits = bits_per_character(trainer.model, tokenizer, held_out)
        report(epoch=state["epoch"], progress=round(clock.progress(), 4), validation_bpc=round(bits, 4))

    losses: list[Tensor] = []
    while state["progress"] < 1.0:
        for batch in epoch(rows, args.batch_tokens, args.seed + state["epoch"]):
            trainer.set_learning_rate(learning_rate_factor(state["progress"]))
            losses.append(trainer.step(batch))
            state.update(progress=clock.progress(), seconds=before + clock.elapsed())
            if len(losses) == LOG_STEPS:
                report(loss=round(torch.stack(losses).mean().item(), 4))
                losses.clear()
            if clock.elapsed() >= next_checkpoint:
                next_checkpoint += CHECKPOINT_SECONDS
                trainer.save(checkpoint)
                validate()
            if state["progress"] >= 1.0:
                break
        else:
            state["epoch"] += 1
    trainer.save(checkpoint)
    validate()


def main() -> int:
    parser = argparse.ArgumentParser(description="Trains the story model; run again to resume.")
    parser.add_argument(
        "data", type=Path, help="folder with train.txt and validation.txt, as corpus.py writes them"
    )
    parser.add_argument("tokenizer", type=Path, help="tokenizer.bin, as bpe.py writes it")
    parser.add_argument("out", type=Path, help="folder for checkpoint.pt and log.jsonl")
    parser.add_argument(
        "--seconds", type=float, default=7200, help="time from now to the end of the schedule"
    )
    parser.add_argument(
        "--restart", action="store_true", help="keep the weights, begin a new schedule (a warm restart)"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--muon-lr", type=float, default=0.02)
    parser.add_argument("--adam-lr", type=float, default=0.004)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--hidden-dim", type=int, default=320)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--kv-heads", type=int, default=2)
    parser.add_argument("--context", type=int, default=512)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = read_tokenizer(args.tokenizer)
    config = Config(
        args.dim, args.hidden_dim, args.layers, args.heads, args.kv_heads, len(tokenizer.pieces), args.context
    )
    trainer = Trainer(config, args)
    if (args.out / "checkpoint.pt").exists():
        trainer.load(args.out / "checkpoint.pt")
        if args.restart:
            trainer.state["progress"] = 0.0
    train(trainer, args, tokenizer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
