"""Scaled dot-product attention: how a token decides which other tokens to read, and reads them.

Letters in shapes: B sequences, T tokens (Tq queries, Tk keys), C width of the residual stream, H
heads, G key and value heads, D dimensions a head. Source: Attention Is All You Need (Vaswani et al.
2017), section 3.2; grouped queries: GQA (Ainslie et al. 2023), section 2.2.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.transformer.cache import LayerCache
from core.transformer.config import ModelConfig
from core.transformer.linear import Linear
from core.transformer.look import EXPLICIT, Look, Site, layer_sites
from core.transformer.norms import RMSNorm
from core.transformer.positions import Rotation, rotate
from core.transformer.precision import full_precision

TINY = -80.0  # weights of scores this far below the row's largest are 0 in `attention_weights`


class Attended(NamedTuple):
    """Every intermediate of one attention: output (..., Tq, D), the others (..., Tq, Tk)."""

    scores: Tensor
    scaled: Tensor
    masked: Tensor
    weights: Tensor
    output: Tensor


def attend(q: Tensor, k: Tensor, v: Tensor, visible: Tensor) -> Attended:
    """softmax(q k^T / sqrt(D)) v, with one line for each step (Vaswani et al. 2017, eq. 1).

    q (..., Tq, D), k and v (..., Tk, D); visible (Tq, Tk) or (..., Tq, Tk) is True where a query
    may look. Every row needs at least one True, or its weights are NaN. The products have the
    dtype of q, k and v; the softmax is computed in fp32 or higher.
    """
    root = math.sqrt(q.size(-1))
    scores = q @ k.mT  # (..., Tq, Tk)  # step: scores
    scaled = scores / root  # step: scale
    masked = scaled.masked_fill(~visible, -math.inf)  # step: mask
    masked = full_precision(masked)
    weights = torch.softmax(masked, dim=-1)  # step: softmax
    weights = weights.to(v.dtype)
    output = weights @ v  # (..., Tq, D)  # step: output
    return Attended(scores, scaled, masked, weights, output)


def attention_weights(q: Tensor, k: Tensor, visible: Tensor, out: Tensor) -> Tensor:
    """Computes `attend(...).weights` alone, into `out`: q and k (H, T, D), the others (H, T, T).

    One pass for scores, scale and mask, because for all heads of a model at once, memory access
    costs more than the arithmetic. `visible` (T, T) is as in `attend`. For inspection, not for
    training: torch writes into `out` only without gradients.
    """
    hidden = torch.zeros(visible.shape, dtype=q.dtype, device=q.device)
    hidden.masked_fill_(~visible, -math.inf)  # (T, T): 0 where a query may look
    torch.baddbmm(hidden, q, k.mT, alpha=1 / math.sqrt(q.size(-1)), out=out)
    # Weights below e^-80 become 0. A sharp head has many, some of them subnormal floats, which make
    # a CPU many times slower.
    out -= out.amax(dim=-1, keepdim=True)
    F.threshold(out, TINY, -math.inf, inplace=True)
    return torch.softmax(out, dim=-1, out=out)


def visible_tokens(
    n_tokens: int,
    window: int | None,
    device: torch.device | None = None,
    n_queries: int | None = None,
) -> Tensor:
    """Returns (Tq, Tk), True where a query may look: at its own token and at earlier ones.

    Keys are all `n_tokens` tokens; queries the last `n_queries` of them (None: all). A window
    limits the visible tokens to that many in all (GPT-3, section 2.1); None: no limit.
    """
    position = torch.arange(n_tokens, device=device)
    first = 0 if n_queries is None else n_tokens - n_queries
    back = position[first:, None] - position[None, :]  # (Tq, Tk), from the key to the query
    visible = back >= 0
    return visible if window is None else visible & (back < window)


def repeat_heads(heads: Tensor, n_head: int) -> Tensor:
    """Repeats key or value heads, one for each query head: (..., G, T, D) -> (..., H, T, D).

    Query head h reads key and value head h // (H / G): neighbors share one.
    """
    group = n_head // heads.size(-3)
    return heads if group == 1 else heads.repeat_interleave(group, dim=-3)


class Heads(nn.Module):
    """The common part of self-attention and cross-attention: every head reads, and the results of
    all heads are joined (Vaswani et al. 2017, section 3.2.2).

    With fewer key and value heads than heads, several queries share one.
    """

    causal: bool  # hides later keys
    window: int | None  # number of keys that a query sees, including its own; None: all
    c_proj: Linear  # W^O, (n_embd, H D)

    def __init__(self, config: ModelConfig, sites: dict[str, Site]) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.n_kv_head = config.kv_heads
        self.head_width = config.head_width
        self.dropout = config.dropout
        self.sites = sites

    def join(self, heads: Tensor) -> Tensor:
        """Joins the heads, and mixes them into one vector per token: (B, H, T, D) -> (B, T, C)."""
        joined = heads.transpose(1, 2).flatten(2)  # (B, T, H D)
        output = self.c_proj(joined)  # (B, T, C)  # step: join
        return output

    def attend_heads(
        self, q: Tensor, k: Tensor, v: Tensor, look: Look | None, is_token: Tensor | None = None
    ) -> Tensor:
        """Computes the joined output of all heads, by the fastest method that yields the Look's
        values: q (B, H, Tq, D), k and v (B, G, Tk, D) -> (B, Tq, C). `is_token` (B, 1, 1, Tk) is
        False for padding; None: there is none.
        """
        explicitly = look if look is not None and self._is_explicit(look) else None
        sees_all = q.size(2) == 1 and is_token is None
        if sees_all and explicitly is None and not self.training:
            heads = self.single_query(q, k, v)
            return self._joined(heads, look)
        if self.n_kv_head != self.n_head:
            k, v = repeat_heads(k, self.n_head), repeat_heads(v, self.n_head)  # (B, H, T, D)
        if explicitly is not None:
            heads = self.explicit(q, k, v, explicitly, is_token)
        else:
            heads = self.fused(q, k, v, is_token)
        return self._joined(heads, look)

    def _joined(self, heads: Tensor, look: Look | None) -> Tensor:
        """Joins the heads, with a Look at input and output."""
        if look is None:
            return self.join(heads)
        heads = look.at(self.sites["head_output"], heads)
        return look.at(self.sites["attention_output"], self.join(heads))

    def _is_explicit(self, look: Look) -> bool:
        """True if the Look needs a value that fused attention never computes."""
        return any(look.wants(self.sites[kind]) for kind in EXPLICIT)

    def fused(self, q: Tensor, k: Tensor, v: Tensor, is_token: Tensor | None = None) -> Tensor:
        """Computes all heads' output, (B, H, T, D), by `attend` or a kernel that fuses it."""
        dropout = self.dropout if self.training else 0.0
        if dropout == 0.0 and _fused_backward_is_slow(q):
            return attend(q, k, v, self.visible(q, k, is_token)).output
        whole = self.window is None and q.size(2) == k.size(2)
        if is_token is None and (whole or not self.causal):
            return F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=self.causal)
        visible = self.visible(q, k, is_token)
        return F.scaled_dot_product_attention(q, k, v, visible, dropout_p=dropout)

    def single_query(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Computes the heads' output for a single query, which sees all keys: q (B, H, 1, D), k and
        v (B, G, Tk, D) -> (B, H, 1, D). Queries that share a key become rows of one matrix, so that
        no key is copied.
        """
        grouped = q.unflatten(1, (self.n_kv_head, -1)).squeeze(3)  # (B, G, H / G, D)
        heads = F.scaled_dot_product_attention(grouped, k, v)  # (B, G, H / G, D)
        return heads.flatten(1, 2).unsqueeze(2)  # (B, H, 1, D)

    def explicit(
        self, q: Tensor, k: Tensor, v: Tensor, look: Look, is_token: Tensor | None = None
    ) -> Tensor:
        """Computes it by `attend`, for the Look: replaced values pass through the later lines."""
        visible, root = self.visible(q, k, is_token), math.sqrt(self.head_width)
        scores, _, masked, weights, _ = attend(q, k, v, visible)
        scores = look.at(self.sites["scores"], scores)
        changed = look.replaces(self.sites["scores"])
        if changed:
            masked = (scores / root).masked_fill(~visible, -math.inf)
        masked = look.at(self.sites["masked"], masked)
        if changed or look.replaces(self.sites["masked"]):
            weights = torch.softmax(full_precision(masked), dim=-1).to(v.dtype)
        weights = look.at(self.sites["weights"], weights)
        return F.dropout(weights, self.dropout, self.training) @ v

    def visible(self, q: Tensor, k: Tensor, is_token: Tensor | None = None) -> Tensor:
        """Returns (Tq, Tk) or (B, 1, Tq, Tk), True where a query may look. If later keys are
        hidden, the queries belong to the last tokens of k.
        """
        Tq, Tk = q.size(2), k.size(2)
        if self.causal:
            visible = visible_tokens(Tk, self.window, q.device, Tq)
        else:
            visible = torch.ones(Tq, Tk, dtype=torch.bool, device=q.device)
        return visible if is_token is None else visible & is_token


class Attention(Heads):
    """Multi-head self-attention of one block: project, attend in every head, join, project.

    In a decoder a token reads itself and what came before; in an encoder also what comes after
    (Vaswani et al. 2017, section 3.2.3).
    """

    def __init__(self, config: ModelConfig, layer: int, stack: str = "decoder") -> None:
        super().__init__(config, layer_sites(stack, layer))
        self.causal = stack == "decoder"
        self.window = config.window_of(layer)
        width = config.n_head * config.head_width
        projected = (config.n_head + 2 * config.kv_heads) * config.head_width
        self.c_attn = Linear(config.n_embd, projected, bias=config.has_qkv_bias)
        self.qk_norm = config.qk_norm
        if config.qk_norm:  # Qwen3
            self.q_norm = RMSNorm(config.head_width, config.norm_eps)
            self.k_norm = RMSNorm(config.head_width, config.norm_eps)
        self.c_proj = Linear(width, config.n_embd, bias=config.has_o_bias)

    def project(self, x: Tensor, rotation: Rotation | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Computes each token's q (B, H, T, D), k and v (B, G, T, D) from x (B, T, C).

        With a rotation, queries and keys are turned by an angle that depends on the position of
        their token.
        """
        q, k, v = self.split(self.c_attn(x), rotation)  # step: project
        return q, k, v

    def split(self, qkv: Tensor, rotation: Rotation | None) -> tuple[Tensor, Tensor, Tensor]:
        """Splits the output of `c_attn`, (B, T, (H + 2 G) D), and rotates queries and keys."""
        H, G = self.n_head, self.n_kv_head
        heads = qkv.unflatten(-1, (H + 2 * G, self.head_width))  # (B, T, H + 2 G, D)
        q, k, v = heads.transpose(1, 2).split((H, G, G), dim=1)  # (B, H or G, T, D)
        if self.qk_norm:
            q, k = self.q_norm(q), self.k_norm(k)
        if rotation is not None:
            q, k = rotate(q, rotation), rotate(k, rotation)
        return q, k, v

    def forward(
        self,
        x: Tensor,
        rotation: Rotation | None = None,
        look: Look | None = None,
        cache: LayerCache | None = None,
        is_token: Tensor | None = None,
    ) -> Tensor:
        """Lets tokens read one another: x (B, T, C) -> (B, T, C). With a cache, x holds only the
        new tokens, which also read from those in the cache. `is_token` (B, 1, 1, T) is False for
        padding; None: there is none.
        """
        q, k, v = self.project(x, rotation)
        if look is not None:
            q = look.at(self.sites["queries"], q)
            k = look.at(self.sites["keys"], k)
            v = look.at(self.sites["values"], v)
        if cache is not None:
            k, v = cache.append(k, v)  # (B, G, Tk, D)
        return self.attend_heads(q, k, v, look, is_token)


def _fused_backward_is_slow(q: Tensor) -> bool:
    """True in bf16 training on a CPU: torch's fused kernel takes 1.7 times as long as `attend`."""
    return q.requires_grad and q.device.type == "cpu" and q.dtype is torch.bfloat16
