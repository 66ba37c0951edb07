"""What the attention pane shows, as plain arrays: no Qt; torch only on the engine's thread.

Letters in shapes: T tokens, L layers, H heads, D dimensions a head, C width of the residual stream,
P pixels of a mosaic cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.inference.heads import HeadScores, followers, head_scores
from core.numbers import format_number
from explorer.widgets.pooling import pool_heads, to_uint8
from explorer.widgets.tokens import SIGNS

if TYPE_CHECKING:
    from core.inference.activations import Activations
    from core.tokenization import Tokenizer
    from core.trace import Trace
    from core.transformer import ModelConfig
    from core.transformer.gpt import GPT

SITES = ("attention", "queries", "keys", "values", "residual")
SCORES = {
    "induction": "Induction",
    "previous_token": "Previous token",
    "duplicate": "Duplicate token",
    "first_token": "First token",
    "entropy": "Entropy",
}
MEANINGS = {
    "induction": "looks at what came after an earlier occurrence of the same token",
    "previous_token": "looks at the token just before",
    "duplicate": "looks at earlier occurrences of the same token",
    "first_token": "rests on the first token, where there is nothing to read",
    "entropy": "how evenly it spreads: 0 sharp, 1 uniform",
}
CLEAR = 0.5  # of a row's weight: from here on a sentence says what the head does
FAINT = 0.2


@dataclass(frozen=True)
class Prompt:
    """A text as the model reads it: its last `limit` tokens; `cut` tokens before do not fit."""

    text: str
    ids: tuple[int, ...]
    pieces: tuple[bytes, ...]
    cut: int
    limit: int

    @property
    def labels(self) -> list[str]:
        """The pieces as text; bytes that are no whole character as hexadecimal pairs."""
        return [piece_text(piece) for piece in self.pieces]

    @property
    def warning(self) -> str:
        """What was cut, for people; "" when everything fits."""
        if not self.cut:
            return ""
        tokens = "token is" if self.cut == 1 else f"{self.cut} tokens are"
        return f"This model reads {self.limit} tokens: the first {tokens} cut"


def piece_text(piece: bytes) -> str:
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        return " ".join(f"{byte:02X}" for byte in piece)


def read_prompt(tokenizer: Tokenizer, text: str, limit: int) -> Prompt:
    """Encodes `text` and keeps the last `limit` tokens: what the model would continue."""
    encoding = tokenizer.encode(text)
    cut = max(0, len(encoding.ids) - limit)
    ids, pieces = encoding.ids[cut:], encoding.slices()[cut:]
    return Prompt(text, tuple(ids), tuple(pieces), cut, limit)


@dataclass(frozen=True)
class Heads:
    """One capture, ready to show: attention (L, H, T, T), queries (L, H, T, D), keys and values
    (L, G, T, D), where G is less than H if heads share them.

    vectors   the step of a run that these three are of, where the attention was recorded at another
    residual  (L + 1, T, C) the stream into the first block and out of each
    off       the heads that were switched off, (layer, head) each
    before    (T, C) what leaves the last block with all heads on, where some are off
    """

    prompt: Prompt
    attention: np.ndarray
    queries: np.ndarray
    keys: np.ndarray
    values: np.ndarray
    scores: HeadScores
    source: str
    version: int
    vectors: int | None = None
    residual: np.ndarray | None = None
    off: tuple[tuple[int, int], ...] = ()
    before: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.attention.shape[0], self.attention.shape[1]

    @property
    def n_tokens(self) -> int:
        return int(self.attention.shape[2])

    def weights(self, layer: int, head: int, hide_first: bool = False) -> np.ndarray:
        """(T, T) weights of one head; with `hide_first` as `without_first` gives them."""
        weights = self.attention[layer, head]
        return without_first(weights) if hide_first else weights

    def keys_of(self, layer: int, head: int) -> np.ndarray:
        """(T, D): the keys that a head reads, alone or with its neighbors."""
        return self.keys[layer, head * self.keys.shape[1] // self.queries.shape[1]]

    def score(self, name: str) -> np.ndarray:
        return self.scores.by_name()[name]


def look(
    activations: Activations,
    prompt: Prompt,
    source: str,
    version: int,
    config: ModelConfig | None = None,
    vectors: int | None = None,
    off: tuple[tuple[int, int], ...] = (),
    before: np.ndarray | None = None,
) -> Heads:
    """Everything the pane shows of one capture; meant for the engine's thread. Without the model's
    `config` all that came before is visible. `off` and `before` are as in `Heads`.
    """
    attention, q = activations.attention, activations.queries
    k, v = activations.keys, activations.values
    if attention is None or q is None or k is None or v is None:
        raise ValueError("the model gave no heads; ask it for attention, queries, keys and values")
    if not np.isfinite(attention).all():
        raise ValueError(
            "this model gives no numbers: its weights are so large that computing with them "
            "overflows; open an earlier checkpoint"
        )
    visible = None if config is None else visible_cells(len(attention), attention.shape[-1], config)
    scores = head_scores(attention, prompt.ids, visible)
    return Heads(
        prompt, attention, q, k, v, scores, source, version, vectors,
        activations.residual, off, before,
    )  # fmt: skip


def capture_without(
    model: GPT, ids: Sequence[int], off: Sequence[tuple[int, int]]
) -> tuple[Activations, np.ndarray]:
    """What `look` needs of a model with the heads `off` switched off, and what leaves its last
    block with all of them on, (T, C); for the engine's thread.
    """
    from core.inference.activations import capture
    from core.inference.interventions import scale_parts
    from core.transformer.look import Site

    last = Site("decoder", model.config.n_layer - 1, "residual_out")
    before = capture(model, ids, [last]).at(last)
    replace = scale_parts(model.config, dict.fromkeys(off, 0.0))
    return capture(model, ids, SITES, replace), before


def mosaic(heads: Heads, cell_pixels: int, hide_first: bool) -> np.ndarray:
    """All maps as uint8, pooled to a cell's pixels: (L, H, P, P)."""
    attention = without_first(heads.attention) if hide_first else heads.attention
    return pool_heads(to_uint8(attention), cell_pixels)


def without_first(weights: np.ndarray) -> np.ndarray:
    """Weights (..., T, T) with key 0 hidden and each row scaled to sum 1 again.

    A row with nothing else to look at (query 0, or all of its weight on key 0) becomes 0.
    """
    rest = weights.copy()
    rest[..., 0] = 0.0
    total = rest.sum(axis=-1, keepdims=True)
    return np.divide(rest, total, out=np.zeros_like(rest), where=total > 1e-9)


def visible_cells(n_layers: int, n_tokens: int, config: ModelConfig) -> np.ndarray:
    """(L, 1, T, T) bool, True where a query of the layer may look."""
    windows = (config.window_of(layer) for layer in range(n_layers))
    return np.stack([~hidden_cells(n_tokens, False, window)[None] for window in windows])


def hidden_cells(n_tokens: int, hide_first: bool, window: int | None = None) -> np.ndarray:
    """(T, T) bool, True where a query may not look, or where the first token is hidden."""
    back = np.arange(n_tokens)[:, None] - np.arange(n_tokens)[None, :]
    hidden = back < 0
    if window is not None:
        hidden |= back >= window
    if hide_first:
        hidden[:, 0] = True
    return hidden


def trace_of(
    heads: Heads,
    layer: int,
    head: int,
    query: int,
    window: int | None,
    rotary: bool = False,
    model: GPT | None = None,
) -> Trace:
    """The Trace of one query, from what was captured with the picture; runs on the engine. Its last
    steps need the weights of the `model` that the capture is of.
    """
    from core.inference.attention_trace import downstream_of, trace_attention_from

    q, k, v, after = heads.queries[layer], heads.keys[layer], heads.values[layer], None
    if model is not None and heads.residual is not None:
        stream = heads.residual[:, query]  # (L + 1, C)
        off = [head for at, head in heads.off if at == layer]
        before = None if heads.before is None else heads.before[query]
        after = downstream_of(model, layer, stream[layer], stream[-1], off, before)
    ids = np.asarray(heads.prompt.ids)
    return trace_attention_from(
        q, k, v, ids,
        layer=layer, head=head, query=query, window=window, rotary=rotary, after=after,
    )  # fmt: skip


def order_by(score: np.ndarray) -> np.ndarray:
    """For each layer its heads from the highest score to the lowest: (L, H) indices."""
    return np.argsort(-score, axis=1, kind="stable")


def strongest(score: np.ndarray) -> tuple[int, int]:
    layer, head = np.unravel_index(int(np.argmax(score)), score.shape)
    return int(layer), int(head)


def telling_query(heads: Heads, layer: int, head: int) -> int:
    """The query that shows best what the head does: for induction the clearest repeated token.

    A token that is a word by itself, and a name most of all, tells more than a full stop. Without
    a repetition it is the query with the sharpest look elsewhere than at itself and the first.
    """
    weights = heads.attention[layer, head]
    T = heads.n_tokens
    gain = np.where(followers(heads.prompt.ids), weights, 0.0).sum(axis=1)
    if gain.max(initial=0.0) >= FAINT:
        labels = heads.prompt.labels
        return int(np.argmax([gain[i] * _interest(labels[i]) for i in range(T)]))
    elsewhere = weights.copy()
    np.fill_diagonal(elsewhere, 0.0)
    elsewhere[:, 0] *= 0.1
    return int(np.argmax(elsewhere.max(axis=1) * (1 + np.arange(T) / (8.0 * T))))


def has(heads: Heads, layer: int, head: int, token: int = 0) -> bool:
    """Whether there is such a head, and such a token."""
    layers, n_heads = heads.shape
    return layer < layers and head < n_heads and token < heads.n_tokens


def sensible_choice(
    heads: Heads, layer: int | None, head: int | None, token: int | None
) -> tuple[int, int, int]:
    """Layer, head and query: as asked for where they are there, else the strongest induction head
    and the query that shows best what it does."""
    if layer is None or head is None or not has(heads, layer, head):
        layer, head = strongest(heads.score("induction"))
    if token is None or token >= heads.n_tokens:
        token = telling_query(heads, layer, head)
    return layer, head, token


def _interest(label: str) -> float:
    word = label.strip()
    if len(word) < 2 or not word.isalpha():
        return 0.6
    return 1.3 if word[0].isupper() else 1.0


def quoted(label: str) -> str:
    """A token in a sentence: \u201cMira\u201d; one that is only whitespace by its signs, one
    of no letters by these words."""
    if not label:
        return "an empty token"
    return f"\u201c{label.strip() or label.translate(SIGNS)}\u201d"


def sentence(heads: Heads, layer: int, head: int, query: int, hide_first: bool = False) -> str:
    """What this head does for this query, read off the weights that are shown.

    What the head does for all others, it says only where the head's score does.
    """
    labels, ids = heads.prompt.labels, heads.prompt.ids
    row = heads.weights(layer, head, hide_first)[query, : query + 1]
    me = quoted(labels[query])
    part = "of what the first token leaves" if hide_first else "of its attention"
    if query == 0:
        return f"The first token, {me}, has nothing before it: all its attention stays on itself."
    if not row.any():
        return f"All the attention of {me} rests on the first token, which is hidden."
    follow = followers(ids)[query, : query + 1]
    same = np.array([ids[j] == ids[query] for j in range(query)] + [False])
    best = int(np.argmax(row))
    weight = format_number(row[best])
    if row[follow].sum() >= CLEAR and follow[best]:
        return f"This head found an earlier {me} and looks at what came after it."
    if same.any() and row[same].sum() >= CLEAR:
        return f"This head finds the earlier {me} and looks at that very token."
    if row[best] < FAINT:
        most = f"{weight} {part}" if hide_first else weight
        return f"This head spreads its attention: no token before {me} gets more than {most}."
    if best == query:
        return f"Here {me} looks at itself, with {weight} {part}."
    if best == query - 1:
        before = quoted(labels[best])
        if heads.score("previous_token")[layer, head] < CLEAR:
            return f"Here {me} looks at the token just before, {before}, with {weight} {part}."
        most = f"{weight} {part}" if hide_first else weight
        return f"This head looks at the token just before: {me} gives {before} {most}."
    if best == 0:
        return f"This head found nothing for {me} and rests on the first token, with {weight}."
    return f"For {me} this head looks most at {quoted(labels[best])}, with {weight} {part}."


def announced(heads: Heads, layer: int, head: int, query: int, score: str, hide: bool) -> str:
    """One head and row in words, for screen readers."""
    labels = heads.prompt.labels
    value = float(heads.score(score)[layer, head])
    row = heads.weights(layer, head, hide)[query]
    best = int(np.argmax(row))
    most = format_number(row[best])
    return (
        f"layer {layer}, head {head}, {SCORES[score].lower()} {format_number(value)}, "
        f"row {quoted(labels[query])}, largest {most} on {quoted(labels[best])}"
    )


def rows_to_show(weights: np.ndarray, query: int, room: int) -> list[int]:
    """Which keys the steps show when not all fit: the heaviest, the query itself, a few hidden.

    weights (T,) of the query. At least two of the tokens that come later stay, so that the mask
    has something to hide.
    """
    T = int(weights.size)
    if room >= T:
        return list(range(T))
    later = list(range(query + 1, T))
    kept = {query, *later[: min(3, max(0, room // 5))]}
    heaviest = [int(key) for key in np.argsort(-weights[: query + 1], kind="stable")]
    for key in [*heaviest, *later]:
        if len(kept) >= room:
            break
        kept.add(key)
    return sorted(kept)
