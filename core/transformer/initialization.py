"""Two changes of GPT's first weights with which heads that look back form early.

Letters in shapes: T tokens, C width of the residual stream.
"""

from __future__ import annotations

import torch

from core.transformer.stack import Stack

# Wavelengths from 2 pi to 64 * 2 pi tokens: a context of 100 to 300 tokens needs no longer ones.
POSITION_BASE = 64.0
POSITION_AMPLITUDE = 0.04  # twice the size of a token's embedding


@torch.no_grad()
def start_as_sinusoids(model: Stack) -> None:
    """Sets learned positions (T, C) to sinusoids (AIAYN section 3.5), from which they are learned.

    "The token before" is then the same rotation everywhere instead of T separate facts to learn.
    Raises ValueError, with a remedy, for a model without learned positions.
    """
    if model.config.positions != "learned":
        raise ValueError(
            f"positions {model.config.positions!r} are not learned, so they cannot start as "
            'anything; use positions "learned", or positions_start "random"'
        )
    T, C = model.wpe.weight.shape
    wavelengths = POSITION_BASE ** (torch.arange(0, C, 2) / C)  # (C / 2)
    angles = torch.arange(T)[:, None] / wavelengths  # (T, C / 2)
    model.wpe.weight[:, 0::2] = POSITION_AMPLITUDE * torch.sin(angles)
    model.wpe.weight[:, 1::2] = POSITION_AMPLITUDE * torch.cos(angles[:, : C // 2])


@torch.no_grad()
def scale_queries_and_keys(model: Stack, factor: float) -> None:
    """Multiplies the first weights of all queries and keys.

    GPT's 0.02 gives very small scores in a narrow stream, so that every head begins by looking
    everywhere alike. AIAYN's 1 / sqrt(D) assumes scores of size 1 (section 3.2.1).
    """
    config = model.config
    rows = (config.n_head + config.kv_heads) * config.head_width
    for block in model.blocks:
        queries_and_keys = block.attn.c_attn.weight[:rows]
        queries_and_keys *= factor
