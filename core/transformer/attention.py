"""Scaled dot-product attention: how a token decides which earlier tokens to read, and reads them.

Letters in shapes: B sequences, T tokens (Tq queries, Tk keys), C width of the residual stream, H
heads, D dimensions a head. Source: Attention Is All You Need (Vaswani et al. 2017), section 3.2.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.transformer.config import ModelConfig

TINY = -80.0  # a score so far below the row's largest gets no weight in `attention_weights`


class Attended(NamedTuple):
    """Every intermediate of one attention: output (..., Tq, D), the others (..., Tq, Tk)."""

    scores: Tensor
    scaled: Tensor
    masked: Tensor
    weights: Tensor
    output: Tensor


def attend(q: Tensor, k: Tensor, v: Tensor, visible: Tensor) -> Attended:
    """softmax(q k^T / sqrt(D)) v, one line a step (AIAYN equation 1).

    q (..., Tq, D), k and v (..., Tk, D); visible (Tq, Tk), True where a query may look. Every row
    of `visible` needs one True, or its weights are NaN.
    """
    scores = q @ k.mT  # (..., Tq, Tk)  # step: scores
    scaled = scores / math.sqrt(q.size(-1))  # step: scale
    masked = scaled.masked_fill(~visible, -math.inf)  # step: mask
    weights = torch.softmax(masked, dim=-1)  # step: softmax
    output = weights @ v  # (..., Tq, D)  # step: output
    return Attended(scores, scaled, masked, weights, output)


def attention_weights(q: Tensor, k: Tensor, visible: Tensor, out: Tensor) -> Tensor:
    """`attend(...).weights` alone, written into `out`: q and k (H, T, D), the others (H, T, T).

    One pass for scores, scale and mask, since for all heads of a model at once reading and writing
    memory costs more than the arithmetic. `visible` (T, T) is as in `attend`. For looking, not for
    learning: torch writes into `out` only where no gradient is wanted.
    """
    hidden = torch.zeros(visible.shape, dtype=q.dtype, device=q.device)
    hidden.masked_fill_(~visible, -math.inf)  # (T, T): 0 where a query may look
    torch.baddbmm(hidden, q, k.mT, alpha=1 / math.sqrt(q.size(-1)), out=out)
    # Weights below e^-80 become 0. A sharp head has many, some too small for a normal float, and
    # with those a CPU computes many times slower.
    out -= out.amax(dim=-1, keepdim=True)
    F.threshold(out, TINY, -math.inf, inplace=True)
    return torch.softmax(out, dim=-1, out=out)


def visible_tokens(n_tokens: int, window: int | None, device: torch.device | None = None) -> Tensor:
    """(T, T), True where row i may look at column j: itself, and what came before.

    A window limits that to so many tokens in all (GPT-3, section 2.1); None is no limit.
    """
    position = torch.arange(n_tokens, device=device)
    back = position[:, None] - position[None, :]  # (T, T), how far back the key lies
    visible = back >= 0
    return visible if window is None else visible & (back < window)


class Attention(nn.Module):
    """Multi-head self-attention of one block: project, attend in every head, join, project.

    AIAYN section 3.2.2.
    """

    def __init__(self, config: ModelConfig, window: int | None) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.head_width = config.head_width
        self.window = window
        self.dropout = config.dropout
        width = config.n_head * config.head_width
        self.c_attn = nn.Linear(config.n_embd, 3 * width, bias=config.bias)
        self.c_proj = nn.Linear(width, config.n_embd, bias=config.bias)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value of each token in each head: x (B, T, C) -> three (B, H, T, D)."""
        q, k, v = self.split(self.c_attn(x))  # (B, H, T, D)  # step: project
        return q, k, v

    def split(self, qkv: Tensor) -> tuple[Tensor, ...]:
        """What `c_attn` made, (B, T, 3 H D), apart: query, key and value, each (B, H, T, D)."""
        B, T, _ = qkv.shape
        heads = qkv.view(B, T, 3, self.n_head, self.head_width)  # (B, T, 3 H D) -> (B, T, 3, H, D)
        return heads.permute(2, 0, 3, 1, 4).unbind()  # (3, B, H, T, D), then apart

    def join(self, heads: Tensor) -> Tensor:
        """Heads side by side, mixed into the residual stream: (B, H, T, D) -> (B, T, C)."""
        joined = heads.transpose(1, 2).flatten(2)  # (B, T, H D)
        return self.c_proj(joined)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C), by the fastest way: `attend`, or the kernel that fuses it."""
        q, k, v = self.project(x)
        dropout = self.dropout if self.training else 0.0
        if dropout == 0.0 and _fused_backward_is_slow(q):
            visible = visible_tokens(x.size(1), self.window, x.device)
            heads = attend(q, k, v, visible).output
        elif self.window is None:
            heads = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
        else:
            visible = visible_tokens(x.size(1), self.window, x.device)
            heads = F.scaled_dot_product_attention(q, k, v, visible, dropout_p=dropout)
        return self.join(heads)

    def explain(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Attended]:
        """q, k, v (B, H, T, D) and what `attend` makes of them.

        `join(attended.output)` is what `forward` returns.
        """
        q, k, v = self.project(x)
        visible = visible_tokens(x.size(1), self.window, x.device)
        return q, k, v, attend(q, k, v, visible)


def _fused_backward_is_slow(q: Tensor) -> bool:
    """Learning in bf16 on a CPU: there torch's fused kernel takes 1.7 times the explicit step."""
    return q.requires_grad and q.device.type == "cpu" and q.dtype is torch.bfloat16
