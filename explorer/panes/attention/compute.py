"""The engine's computations for the pane: the heads on a text, the mosaic of their maps, and the
Trace of a query. Plain arrays; only the engine's thread loads torch.

Letters in shapes: T tokens, L layers, H heads, G key/value heads, D dimensions per head, C width of
the residual stream, P pixels of a mosaic cell.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from core.inference.heads import HeadScores, head_scores, visible_cells, without_first
from core.tokenization.telling import readable_text
from explorer.widgets.pooling import pool_heads, to_uint8

if TYPE_CHECKING:
    from core.inference.activations import Activations
    from core.tokenization import Tokenizer
    from core.trace import Trace
    from core.transformer import ModelConfig
    from core.transformer.gpt import GPT

SITES = ("attention", "queries", "keys", "values", "residual")
Head = tuple[int, int]  # layer, head


@dataclass(frozen=True)
class Prompt:
    """A text as the model reads it: its last `limit` tokens, without the `cut` ones before them."""

    text: str
    ids: tuple[int, ...]
    pieces: tuple[bytes, ...]
    cut: int
    limit: int

    @property
    def labels(self) -> list[str]:
        """The tokens as text."""
        return [piece_text(piece) for piece in self.pieces]


def piece_text(piece: bytes) -> str:
    """Returns a token as text; bytes of which nothing can be seen become hexadecimal pairs."""
    text = readable_text(piece)
    return piece.hex(" ").upper() if text is None else text


def read_prompt(tokenizer: Tokenizer, text: str, limit: int) -> Prompt:
    """Encodes `text` and keeps the last `limit` tokens, which the model can continue."""
    encoding = tokenizer.encode(text)
    cut = max(0, len(encoding.ids) - limit)
    ids, pieces = encoding.ids[cut:], encoding.slices()[cut:]
    return Prompt(text, tuple(ids), tuple(pieces), cut, limit)


@dataclass(frozen=True, eq=False)
class Heads:
    """The heads of a model on a text: attention (L, H, T, T), queries (L, H, T, D), keys and values
    (L, G, T, D), where G is less than H if heads share them.

    residual  (L + 1, T, C): the stream before the first block and after each block
    source    name of the model
    config    configuration of the model, if known
    off       heads that were switched off
    before    (T, C): output of the last block with all heads on; None if none is off
    version   version of the model
    vectors   the run's step at which queries, keys and values were computed, if the attention was
              recorded at another step
    """

    prompt: Prompt
    attention: np.ndarray
    queries: np.ndarray
    keys: np.ndarray
    values: np.ndarray
    residual: np.ndarray | None
    scores: HeadScores
    source: str
    config: ModelConfig | None = None
    off: tuple[Head, ...] = ()
    before: np.ndarray | None = None
    version: int = 0
    vectors: int | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.attention.shape[0], self.attention.shape[1]

    @property
    def n_tokens(self) -> int:
        return int(self.attention.shape[2])

    def has(self, layer: int, head: int, token: int = 0) -> bool:
        """Returns True if this head and this token exist."""
        layers, heads = self.shape
        return layer < layers and head < heads and token < self.n_tokens

    def maps(self, hide_first: bool) -> np.ndarray:
        """Returns the maps of the mosaic, (L, H, T, T)."""
        return without_first(self.attention) if hide_first else self.attention

    def weights(self, layer: int, head: int, hide_first: bool = False) -> np.ndarray:
        """Returns the (T, T) weights of one head; `hide_first` applies `without_first`."""
        weights = self.attention[layer, head]
        return without_first(weights) if hide_first else weights

    def keys_of(self, layer: int, head: int) -> np.ndarray:
        """Returns the keys (T, D) that a head reads; neighboring heads may share them."""
        return self.keys[layer, head * self.keys.shape[1] // self.queries.shape[1]]

    def score(self, name: str) -> np.ndarray:
        """Returns a score of all heads, (L, H), by its name."""
        return self.scores.by_name()[name]

    def window(self, layer: int) -> int | None:
        """Returns how many tokens a query of the layer sees, itself included; None for no limit."""
        return None if self.config is None else self.config.window_of(layer)

    def hidden(self, layer: int, hide_first: bool) -> np.ndarray:
        """Returns the blank cells of a map, (T, T) bool."""
        return hidden_cells(self.n_tokens, hide_first, self.window(layer))


def heads_of(
    activations: Activations,
    prompt: Prompt,
    source: str,
    config: ModelConfig | None = None,
    off: tuple[Head, ...] = (),
    before: np.ndarray | None = None,
) -> Heads:
    """Builds Heads from captured activations; ValueError if they are incomplete or not finite."""
    attention, q = activations.attention, activations.queries
    k, v = activations.keys, activations.values
    if attention is None or q is None or k is None or v is None:
        raise ValueError("the model gave no heads; ask it for attention, queries, keys and values")
    if not np.isfinite(attention).all():
        raise ValueError(
            "this model gives no numbers: its weights are so large that computing with them "
            "overflows; open an earlier checkpoint"
        )
    visible = None
    if config is not None:
        windows = [config.window_of(layer) for layer in range(len(attention))]
        visible = np.stack([visible_cells(len(prompt.ids), window)[None] for window in windows])
    scores = head_scores(attention, prompt.ids, visible)
    made = attention, q, k, v, activations.residual
    return Heads(prompt, *made, scores, source, config, off, before)


def changed_heads(
    model: GPT, prompt: Prompt, source: str, off: tuple[Head, ...], as_base: bool
) -> Heads:
    """Returns the heads with those in `off` switched off; `as_base` undoes the fine-tuning
    meanwhile. Afterwards the model is as it was.
    """
    from core.finetuning.mixture import BASE
    from core.finetuning.scales import at_scales
    from core.inference.activations import capture
    from core.inference.interventions import scale_parts
    from core.transformer.look import Site

    last, before = Site("decoder", model.config.n_layer - 1, "residual_out"), None
    with at_scales(BASE.scales(model)) if as_base else nullcontext():
        if off:
            before = capture(model, prompt.ids, [last]).at(last)
        replaced = scale_parts(model.config, dict.fromkeys(off, 0.0))
        activations = capture(model, prompt.ids, SITES, replaced)
    return heads_of(activations, prompt, source, model.config, off, before)


class Mapped(Protocol):
    """The source of a mosaic: a map with values from 0 to 1 for each head, (L, H, T, T)."""

    def maps(self, hide_first: bool) -> np.ndarray: ...


def mosaic(shown: Mapped, cell_pixels: int, hide_first: bool) -> np.ndarray:
    """Returns all maps as uint8, pooled to the size of a cell: (L, H, P, P)."""
    return pool_heads(to_uint8(shown.maps(hide_first)), cell_pixels)


def hidden_cells(n_tokens: int, hide_first: bool, window: int | None = None) -> np.ndarray:
    """Returns (T, T) bool: True for cells that are masked or belong to a hidden first token."""
    hidden = ~visible_cells(n_tokens, window)
    hidden[:, 0] |= hide_first
    return hidden


def trace_of(heads: Heads, layer: int, head: int, query: int, model: GPT | None = None) -> Trace:
    """Returns the Trace of one query, from the captured activations. Its last steps need `model`,
    with the weights that produced the heads.
    """
    from core.inference.attention_trace import downstream_of, trace_attention_from

    q, k, v, after = heads.queries[layer], heads.keys[layer], heads.values[layer], None
    if model is not None and heads.residual is not None:
        stream = heads.residual[:, query]  # (L + 1, C)
        off = [one for at, one in heads.off if at == layer]
        before = None if heads.before is None else heads.before[query]
        after = downstream_of(model, layer, stream[layer], stream[-1], off, before)
    return trace_attention_from(
        q, k, v, np.asarray(heads.prompt.ids),
        layer=layer, head=head, query=query, window=heads.window(layer),
        rotary=heads.config is not None and heads.config.positions == "rope", after=after,
    )  # fmt: skip
