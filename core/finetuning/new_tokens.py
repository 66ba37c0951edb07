"""New tokens, beyond the model's vocabulary: additional rows of the embedding.

They are read like any other token but never written, as the output head has no logits for them. A
soft prompt consists of them, and a classifier uses them to mark where a text begins and ends.

Letters in shapes: V vocabulary size, P new tokens, C width of the residual stream.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.transformer.gpt import GPT


class NewTokens(nn.Module):
    """An embedding with additional rows, which learn and are in fp32.

    base  V rows, trainable or not
    rows  (P, C), of the tokens V to V + P - 1
    """

    def __init__(self, base: nn.Embedding | NewTokens, rows: Tensor) -> None:
        super().__init__()
        self.base = base
        self.rows = nn.Parameter(rows)

    @property
    def num_embeddings(self) -> int:
        """The number of tokens: V + P."""
        return self.base.num_embeddings + self.rows.size(0)

    @property
    def weight(self) -> Tensor:
        """The rows of the vocabulary, (V, C)."""
        return self.base.weight

    def forward(self, ids: Tensor) -> Tensor:
        """Returns the embeddings: ids (...) -> (..., C)."""
        V = self.base.num_embeddings
        is_new = ids >= V
        known = self.base(ids.masked_fill(is_new, 0))  # (..., C)
        new = F.embedding((ids - V).clamp(min=0), self.rows)  # (..., C)
        return torch.where(is_new[..., None], new.to(known.dtype), known)


def add_tokens(model: GPT, rows: Tensor) -> tuple[int, ...]:
    """Adds tokens with these rows (P, C) to the model, and returns their ids."""
    table = model.wte
    first = table.num_embeddings
    device = table.weight.device
    model.wte = NewTokens(table, rows.float().to(device))  # type: ignore[assignment]
    model.wte.train(table.training)
    return tuple(range(first, first + len(rows)))
