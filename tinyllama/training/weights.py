"""Moves weights between the PyTorch network and llama2.c's tensors."""

from __future__ import annotations

import numpy as np
import torch
from checkpoint import MATRICES, Checkpoint
from model import Llama
from torch import Tensor

_PARTS = {name: "attention" if name in ("wq", "wk", "wv", "wo") else "feed_forward" for name in MATRICES}


def _layer_key(layer: int, name: str) -> str:
    owner = f"{_PARTS[name]}.{name}" if name in _PARTS else name
    return f"blocks.{layer}.{owner}.weight"


def to_checkpoint(model: Llama) -> Checkpoint:
    """The model's float32 weights by llama2.c's names."""
    state: dict[str, Tensor] = model.state_dict()
    tensors = {"embedding": state["embedding.weight"].numpy(), "rms_final": state["rms_final.weight"].numpy()}
    for name in ("rms_att", "rms_ffn", *MATRICES):
        layers = [state[_layer_key(layer, name)].numpy() for layer in range(model.config.n_layers)]
        tensors[name] = np.stack(layers)
    return Checkpoint(model.config, 0, tensors)


def to_model(checkpoint: Checkpoint) -> Llama:
    """A network that computes what llama2.c does, rounding the products' inputs for an int8 checkpoint."""
    model = Llama(checkpoint.config)
    embedding = torch.tensor(checkpoint.tensors["embedding"])
    state = {
        "embedding.weight": embedding,
        "classifier.weight": embedding,
        "rms_final.weight": torch.tensor(checkpoint.tensors["rms_final"]),
    }
    for name in ("rms_att", "rms_ffn", *MATRICES):
        for layer in range(checkpoint.config.n_layers):
            state[_layer_key(layer, name)] = torch.tensor(checkpoint.tensors[name][layer])
    model.load_state_dict(state)
    model.set_input_group_size(checkpoint.group_size)
    return model
