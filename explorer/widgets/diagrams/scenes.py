"""The contents of the diagrams of a transformer: numbers and words, no Qt.

Letters in shapes: T tokens, C width of the residual stream, L layers, H heads, F width of the MLP's
hidden layer, S cells of a vector that is drawn as a stripe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from core.equation import Symbol
from core.numbers import TIMES
from explorer.widgets.pooling import Matrix

STRIPE = 28  # cells
MOST = 256  # greatest number of drawn rows and columns of an adapted matrix
# The displayed names of kinds of parts and steps.
NAMES = {
    "token": "look up", "embed.scale": "\u00d7 \u221aC", "position": "+ position",
    "product": "x W\u1d40", "bias": "+ bias",
    "project": "q, k, v", "queries": "q", "keys_and_values": "k, v",
    "weights": "softmax", "output": "read values", "join": "W_O",
    "c_fc": "widen", "swiglu": "gate \u00d7 up", "relu": "ReLU", "gelu": "GELU",
    "c_proj": "narrow", "norm.mean": "mean", "norm.center": "center", "norm.square": "mean square",
    "norm.variance": "variance", "norm.norm": "divide", "norm.scale": "scale",
    "norm.shift": "shift", "gelu.inner": "bend", "gelu.hidden": "GELU", "silu": "SiLU",
    "ln_1": "norm", "ln_2": "norm", "ln_cross": "norm", "attention": "Attention", "mlp": "MLP",
    "cross": "Cross-attention", "add_attention": "+ attention", "add_cross": "+ cross-attention",
    "add_mlp": "+ MLP",
}  # fmt: skip


def name_of(kind: str) -> str:
    return NAMES.get(kind, kind)


def shape_of(letters: str, *sizes: int) -> str:
    """Formats a shape: ("TC", 12, 192) becomes T × C = 12 × 192."""
    numbers = f" {TIMES} ".join(f"{size:,}" for size in sizes)
    return f"{f' {TIMES} '.join(letters)} = {numbers}"


@dataclass(frozen=True, eq=False)
class SpineScene:
    """A stack of blocks, the parts before and after them, and a text that passes through.

    steps       (index, kind) of "embed", each "block" and the parts after; indices are the
                caller's
    size        (T, C) of the stream
    windows     (L,) tokens visible to each block's attention; None: all
    vocabulary  V
    source      the encoder that its blocks read from
    tokens      their texts; empty without weights
    chosen      the index of the token whose vector the stream shows
    reads       (L, T) how much the chosen token reads from each token, by block
    writes      (L, 2) norms of what attention and MLP add to it
    stripes     (S, 2 L + 1) its vector at each place, scaled to its own size
    likely      (text, probability) of the candidates for the next token, likeliest first
    ids         of the tokens
    """

    steps: tuple[tuple[int, str], ...]
    size: tuple[int, int]
    windows: tuple[int | None, ...]
    vocabulary: int
    source: SpineScene | None = None
    tokens: tuple[str, ...] = ()
    chosen: int = 0
    reads: np.ndarray | None = None
    writes: np.ndarray | None = None
    stripes: np.ndarray | None = None
    likely: tuple[tuple[str, float], ...] = ()
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class BlockScene:
    """One block: the parts on the stream and on its branches.

    parts     (index, kind) in order: "ln_1", "attention", "add_attention", ...
    pre       norms precede each part, on its branch; else they follow the sum, on the stream
    size      (T, C) of the stream
    lines     contents and sizes of "attention", "cross" and "mlp"
    heads     H
    widening  F / C
    stripes   (S, 1) of the chosen token, by the kind of the step that makes it, and "in"
    patterns  (H, P, P) attention weights of each head, pooled
    hidden    (F,) inside the MLP, of the chosen token
    """

    parts: tuple[tuple[int, str], ...]
    pre: bool
    size: tuple[int, int]
    lines: Mapping[str, tuple[str, str]]
    heads: int
    widening: float
    stripes: Mapping[str, np.ndarray] = field(default_factory=dict)
    patterns: np.ndarray | None = None
    hidden: np.ndarray | None = None


class Node(NamedTuple):
    """A step in a chain and its output; `opens` is True if it has steps inside."""

    index: int
    kind: str
    made: str
    shape: tuple[int, ...]
    matrix: Matrix | None
    opens: bool


@dataclass(frozen=True, eq=False)
class Lookup:
    """How ids pick rows of a matrix.

    ids    (T,) of the tokens
    size   (V, C) of the matrix
    table  (R, C) some of its rows, evenly spaced
    """

    ids: tuple[int, ...]
    size: tuple[int, int]
    table: np.ndarray

    @cached_property
    def limit(self) -> float:
        """The greatest magnitude, where the colors end."""
        return float(np.abs(self.table).max(initial=0.0)) or 1.0


@dataclass(frozen=True, eq=False)
class StepsScene:
    """A chain of steps, and the one `at` the cursor as an equation.

    shapes         (rows, columns) of each value of the equation, by name
    matrices       their numbers, if known
    rows, columns  names of the rows of a value with as many, and of the result's columns
    pair           (2, 2) of a rotation: a pair of the chosen query, before and after it turns
    lookup         of a step that looks up rows by ids
    """

    nodes: tuple[Node, ...]
    at: int
    symbols: Sequence[Symbol]
    shapes: Mapping[str, tuple[int, int]]
    matrices: Mapping[str, Matrix]
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    pair: np.ndarray | None = None
    lookup: Lookup | None = None


Scene = SpineScene | BlockScene | StepsScene


def flat(shape: tuple[int, ...]) -> tuple[int, int]:
    """Returns the rows and columns of one head."""
    rows, columns = (1, 1, *shape)[-2:]
    return rows, columns


def drawn_rows(values: np.ndarray) -> np.ndarray:
    """Returns at most MOST rows of values (R, C), evenly spaced."""
    count = len(values)
    return values[np.linspace(0, count - 1, min(count, MOST)).round().astype(int)]


@dataclass(frozen=True, eq=False)
class Content:
    """Numbers (R, C) in a place, their name and a thumbnail of those drawn; `images` caches painted
    images by the theme's name.
    """

    name: str
    values: np.ndarray
    images: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def thumb(self) -> np.ndarray:
        return drawn_rows(drawn_rows(self.values).T).T

    @cached_property
    def limit(self) -> float:
        """The greatest magnitude, where the colors end."""
        return float(np.abs(self.values).max(initial=0.0)) or 1.0


@dataclass(frozen=True, eq=False)
class AdapterScene:
    """An adapted matrix. Places: x, W, its output h; A, the r numbers a, B, the change of the
    output, the sum of both; and delta, the change of W. After full training without A and B, r is
    0; if only the bias was trained, delta is missing too.

    size    out, in, r
    now     the content of each place, without those still empty
    after   the same after the next step, whose progress is `way`, 0 to 1
    made    the place filled last, and `coming` that of the next step; "": none
    grown   the part of it already visible, unless it comes in from the top
    flows   names of the arrows along which something moves
    back    True during the backward pass
    output  the output whose row is marked
    alone   a part of the change that is shown instead of it
    places  the places used by any step
    """

    size: tuple[int, int, int]
    now: Mapping[str, Content]
    after: Mapping[str, Content]
    made: str
    coming: str
    way: float
    grown: np.ndarray | None
    flows: tuple[str, ...]
    back: bool
    output: int
    alone: Content | None
    places: frozenset[str]
