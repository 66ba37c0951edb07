"""Replay: some sequences come from the base's own training data, so that it forgets less.

A model that learns something new forgets what it no longer practices (McCloskey & Cohen 1989,
"Catastrophic interference"). The oldest remedy is to keep practicing (Robins 1995, "Catastrophic
forgetting, rehearsal and pseudorehearsal").

B  sequences in a batch      T  tokens in the longest of them      V  vocabulary size
"""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from core.data.batches import NO_TOKEN, Batch, Batches
from core.transformer.precision import full_precision


def with_replay(new: Batch, old: Batches, share: float, step: int, micro_batch: int) -> Batch:
    """Returns `new` (ids and targets) with about `share` of its sequences replaced by those of
    `old`. The same arguments always give the same batch. Both are padded to the same width.
    """
    replaced = old.generator(step, micro_batch).random(len(new[0])) < share  # (B,)
    ids, targets = old.batch(step, micro_batch)
    width = max(ids.shape[1], new[0].shape[1])
    rows = replaced[:, None]
    return (
        np.where(rows, _widened(ids, width, 0), _widened(new[0], width, 0)),
        np.where(rows, _widened(targets, width, NO_TOKEN), _widened(new[1], width, NO_TOKEN)),
    )


def _widened(rows: np.ndarray, width: int, filling: int) -> np.ndarray:
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])), constant_values=filling)


def sequence_losses(logits: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Returns the mean loss of each sequence, (B,): logits (B, T, V), targets (B, T); 0 for a
    sequence without targets.

    An answer has a few tokens, a text of the base hundreds: if each token counted the same, the
    base's texts would dominate the loss.
    """
    losses = F.cross_entropy(
        full_precision(logits).mT,
        targets,
        ignore_index=NO_TOKEN,
        reduction="none",
        label_smoothing=label_smoothing,
    )  # (B, T)
    counts = (targets != NO_TOKEN).sum(-1).clamp(min=1)  # (B,)
    mean_losses = losses.sum(-1) / counts
    return mean_losses
