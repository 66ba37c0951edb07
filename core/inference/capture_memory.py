"""The memory that a capture needs, computed from the config alone, in advance.

Letters: T tokens, H heads, G key and value heads, D dimensions a head, C width of the residual
stream, F width of the MLP's hidden layer, V vocabulary.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection

from core.transformer.config import ModelConfig
from core.transformer.look import EXPLICIT, Site

PROJECTED = ("queries", "keys", "values")


def site_shape(config: ModelConfig, kind: str, n_tokens: int) -> tuple[int, ...]:
    """Returns the shape of a site of this kind, for one text and one layer."""
    T, D = n_tokens, config.head_width
    if kind in ("keys", "values"):
        return config.kv_heads, T, D
    if kind in ("queries", "head_output"):
        return config.n_head, T, D
    if kind in EXPLICIT:
        return config.n_head, T, T
    width = {"mlp_hidden": config.inner_width, "logits": config.vocab_size}
    return T, width.get(kind, config.n_embd)


def site_numel(config: ModelConfig, kind: str, n_tokens: int) -> int:
    """Returns the number of values at a site of this kind."""
    return math.prod(site_shape(config, kind, n_tokens))


def numbers_held(config: ModelConfig, sites: Collection[Site], n_tokens: int) -> int:
    """Returns the number of values that a Look at these sites keeps in memory, without the logits.

    Queries, keys and values are views of the output of `c_attn`, which stays in memory as long as
    one of them does; normalized or rotated ones are new tensors.
    """
    T = n_tokens
    whole = (config.n_head + 2 * config.kv_heads) * config.head_width * T
    made_anew = ("queries", "keys") if config.qk_norm or config.positions == "rope" else ()
    parts = {kind for kind in PROJECTED if kind not in made_anew}
    layers = {site.layer for site in sites if site.kind in parts}
    others = [site.kind for site in sites if site.kind not in (*parts, "logits")]
    return whole * len(layers) + sum(site_numel(config, kind, T) for kind in others)


def numbers_on_the_way(config: ModelConfig, sites: Collection[Site], n_tokens: int) -> int:
    """Returns the peak number of temporary values of the pass, in addition to recorded values and
    the stream: the inside of one layer, or the logits, which are computed after all layers.
    """
    T = n_tokens
    hidden = (3 if config.mlp == "swiglu" else 2) * T * config.inner_width
    # `attend` holds scores, scaled, masked and weights at once; some of them are recorded.
    explicit = Counter(site.layer for site in sites if site.kind in EXPLICIT)
    matrices = 4 - min(explicit.values()) if explicit else 0
    attention = matrices * config.n_head * T * T
    return max(hidden, attention, T * config.vocab_size) + 2 * T * config.n_embd
