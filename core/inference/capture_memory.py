"""How much memory a capture takes, from the config alone, before anything is computed.

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
    """The shape of a site of that kind, of one text and one layer."""
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
    """How many numbers such a site has."""
    return math.prod(site_shape(config, kind, n_tokens))


def numbers_held(config: ModelConfig, sites: Collection[Site], n_tokens: int) -> int:
    """How many numbers a Look at these sites holds on to, the logits not counted.

    Queries, keys and values are parts of what `c_attn` made, which stays whole as long as one of
    them does; those that were normed or turned are made anew.
    """
    T = n_tokens
    whole = (config.n_head + 2 * config.kv_heads) * config.head_width * T
    made_anew = ("queries", "keys") if config.qk_norm or config.positions == "rope" else ()
    parts = {kind for kind in PROJECTED if kind not in made_anew}
    layers = {site.layer for site in sites if site.kind in parts}
    others = [site.kind for site in sites if site.kind not in (*parts, "logits")]
    return whole * len(layers) + sum(site_numel(config, kind, T) for kind in others)


def numbers_on_the_way(config: ModelConfig, sites: Collection[Site], n_tokens: int) -> int:
    """The most that the pass has in memory for a while, beside what is held and the stream: the
    inside of one layer, or the logits, which come when all layers are done.
    """
    T = n_tokens
    hidden = (3 if config.mlp == "swiglu" else 2) * T * config.inner_width
    # Scores, scaled, masked and weights stand side by side in `attend`; some of them are held.
    explicit = Counter(site.layer for site in sites if site.kind in EXPLICIT)
    matrices = 4 - min(explicit.values()) if explicit else 0
    attention = matrices * config.n_head * T * T
    return max(hidden, attention, T * config.vocab_size) + 2 * T * config.n_embd
