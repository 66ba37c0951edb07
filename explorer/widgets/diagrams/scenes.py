"""What the diagrams of a transformer show: plain numbers and words. Knows no Qt.

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
MOST = 256  # rows and columns of an adapted matrix that are drawn
# What kinds of parts and steps are called.
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
    """("TC", 12, 192): T × C = 12 × 192."""
    numbers = f" {TIMES} ".join(f"{size:,}" for size in sizes)
    return f"{f' {TIMES} '.join(letters)} = {numbers}"


@dataclass(frozen=True, eq=False)
class SpineScene:
    """A stack of blocks, what stands before and after them, and a text on its way through it.

    steps       (index, kind) of "embed", each "block" and what comes after; indices are the
                caller's
    size        (T, C) of the stream
    windows     (L,) how many tokens each block's attention sees; None: all
    vocabulary  V
    source      the encoder that its blocks read from
    tokens      what they say; none without weights
    chosen      the token that the stream carries
    reads       (L, T) how much of each token it reads in each block
    writes      (L, 2) lengths of what attention and MLP add to it
    stripes     (S, 2 L + 1) it at each place, scaled to its own size
    likely      (words, probability) of the tokens that may come next, likeliest first
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


@dataclass(frozen=True, eq=False)
class BlockScene:
    """One block: what stands on the stream and what hangs on it.

    parts     (index, kind) in order: "ln_1", "attention", "add_attention", ...
    pre       norms stand before each part, on its branch; else after the sum, on the stream
    size      (T, C) of the stream
    lines     of "attention", "cross" and "mlp": what is in them, and how large they are
    heads     H
    widening  F / C
    stripes   (S, 1) of the chosen token, by the kind of the step that makes it, and "in"
    patterns  (H, P, P) attention weights of each head, shrunk
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
    """A step in a chain, and what it makes. opens: one can look inside."""

    index: int
    kind: str
    made: str
    shape: tuple[int, ...]
    matrix: Matrix | None
    opens: bool


@dataclass(frozen=True, eq=False)
class StepsScene:
    """Steps that follow one another, and the one `at` the cursor as an equation.

    shapes         (rows, columns) of each value of the equation, by name
    matrices       their numbers, where they are known
    rows, columns  what the rows of a value with as many are, and the result's columns
    pair           (2, 2) of a rotation: a pair of the chosen query, before and after it turns
    """

    nodes: tuple[Node, ...]
    at: int
    symbols: Sequence[Symbol]
    shapes: Mapping[str, tuple[int, int]]
    matrices: Mapping[str, Matrix]
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    pair: np.ndarray | None = None


Scene = SpineScene | BlockScene | StepsScene


def flat(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of one head."""
    rows, columns = (1, 1, *shape)[-2:]
    return rows, columns


def drawn_rows(values: np.ndarray) -> np.ndarray:
    """(R, C) at most MOST rows of it, evenly spread."""
    count = len(values)
    return values[np.linspace(0, count - 1, min(count, MOST)).round().astype(int)]


@dataclass(frozen=True, eq=False)
class Content:
    """Numbers (R, C) in a place, what they are called, and so many of them as are drawn; `images`:
    what was painted of them, by the theme's name.
    """

    name: str
    values: np.ndarray
    images: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def thumb(self) -> np.ndarray:
        return drawn_rows(drawn_rows(self.values).T).T

    @cached_property
    def limit(self) -> float:
        """Where the colors end."""
        return float(np.abs(self.values).max(initial=0.0)) or 1.0


@dataclass(frozen=True, eq=False)
class AdapterScene:
    """Places: x, W, its output h; A, the r numbers a, B, the change of the output, the sum of both;
    and delta, the change of W. Of a matrix that has changed without A and B, r is 0; of one whose
    bias alone has, there is no delta either.

    size    out, in, r
    now     what stands in each place; one where nothing has come is left out
    after   the same after the next step, which is on its `way`, 0 to 1
    made    the place that was filled last, and `coming`: that of the next step; "": none
    grown   what of it is there already, where it does not come from the top
    flows   names of arrows along which something moves
    back    the pass goes back
    output  whose row is marked
    alone   a part of the change that is seen instead of it
    places  those where anything will stand
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
