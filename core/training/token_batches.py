"""What Tasks with batches of tokens have in common: what a recorded step shows of them, and how
weights are put back.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from core.tokenization import Tokenizer
from core.transformer.gpt import IGNORED

LIKELIEST = 5  # next tokens that a recorded step tells of each


def shown_tokens(
    tokenizer: Tokenizer, ids: Tensor, targets: Tensor, output: Tensor
) -> dict[str, np.ndarray]:
    """ids and targets (B, T); losses (B, T) in nats, 0 where nothing was to predict; the likeliest
    next tokens and their probabilities, each (B, T, 5); the bytes of all these tokens: piece_ids
    (n,), piece_bytes one after the other, piece_ends (n,). `output`: logits (B, T, V).
    """
    logits = output.detach().float()
    wanted = targets.clamp(min=0)[..., None]
    surprise = -logits.log_softmax(-1).gather(-1, wanted)[..., 0]
    likeliest = logits.softmax(-1).topk(min(LIKELIEST, logits.size(-1)))
    found = {
        "ids": ids,
        "targets": targets,
        "losses": surprise.masked_fill(targets == IGNORED, 0.0),
        "likeliest": likeliest.indices.int(),
        "probabilities": likeliest.values,
    }
    arrays = {name: tensor.cpu().numpy() for name, tensor in found.items()}
    return {**arrays, **_pieces(tokenizer, arrays["ids"], arrays["targets"], arrays["likeliest"])}


def _pieces(tokenizer: Tokenizer, *ids: np.ndarray) -> dict[str, np.ndarray]:
    known = np.unique(np.concatenate([one.reshape(-1) for one in ids]))
    known = known[known >= 0]
    pieces = [tokenizer.piece_bytes(int(id)) for id in known]
    return {
        "piece_ids": known,
        "piece_bytes": np.frombuffer(b"".join(pieces), np.uint8),
        "piece_ends": np.cumsum([len(piece) for piece in pieces], dtype=np.int64),
    }


def load_parameters(saved: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """Puts a checkpoint's tensors into those of a model, by name. Raises ValueError where names or
    shapes do not fit.
    """
    if missing := sorted(set(saved) ^ set(tensors)):
        raise ValueError(f"the checkpoint belongs to another model: {missing[0]} differs")
    for name, parameter in saved.items():
        if parameter.shape != tensors[name].shape:
            raise ValueError(
                f"the checkpoint's {name} has shape {tuple(tensors[name].shape)}, this model's "
                f"{tuple(parameter.shape)}; continue it with its own config"
            )
        with torch.no_grad():
            parameter.copy_(tensors[name])
