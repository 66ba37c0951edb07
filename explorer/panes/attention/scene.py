"""The steps of one query as plain numbers, for the pictures to draw. No Qt."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.substitution import Arithmetic, arithmetic

if TYPE_CHECKING:
    from core.trace import Step, Trace
    from explorer.panes.attention.compute import Heads

STEPS = (
    *("project", "products", "scores", "scale", "mask", "softmax", "weigh", "output"),
    *("mix", "add", "predict"),  # these need the model's weights
)
(PROJECT, PRODUCTS, SCORES, SCALE, MASK, SOFTMAX, WEIGH, OUTPUT, MIX, ADD, PREDICT) = range(11)
TEN = 10  # number of likeliest tokens shown


@dataclass(frozen=True, eq=False)
class Likely:
    """A candidate for the next token.

    before  its probability with all heads on; None if none is off
    came    True if it is the next token of the text
    """

    token: int
    piece: bytes
    share: float
    before: float | None
    came: bool


@dataclass(frozen=True, eq=False)
class Downstream:
    """What follows from the head's output: w_o (D, C), by_head (H, C), the others (C,).

    bias       bias of W_O, which belongs to no head, or None
    post_norm  True if a norm follows the sum
    n_off      number of the model's heads that are off
    likeliest  the likeliest tokens; the last places may go to the text's next token and, with heads
               off, to the likeliest token with all heads on
    """

    w_o: np.ndarray
    by_head: np.ndarray
    bias: np.ndarray | None
    written: np.ndarray
    others: np.ndarray
    residual: np.ndarray
    added: np.ndarray
    layers_left: int
    post_norm: bool
    n_off: int
    is_off: bool
    likeliest: tuple[Likely, ...]

    @property
    def top(self) -> Likely:
        """The likeliest token."""
        return self.likeliest[0]

    @property
    def came(self) -> Likely | None:
        return next((one for one in self.likeliest if one.came), None)

    @property
    def favorite(self) -> Likely:
        """The token that is likeliest with all heads on."""
        return max(self.likeliest, key=lambda one: one.share if one.before is None else one.before)


@dataclass(frozen=True, eq=False)
class Scene:
    """The path of one query through a head: q, o (D,), k, v, products (T, D), the others (T,).

    steps       the Steps that the values come from
    downstream  effect on the prediction, if the model's weights were available
    """

    steps: Sequence[Step]
    labels: Sequence[str]
    query: int
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    products: np.ndarray
    scores: np.ndarray
    scaled: np.ndarray
    masked: np.ndarray
    weights: np.ndarray
    output: np.ndarray
    downstream: Downstream | None = None

    @property
    def last(self) -> int:
        """Index of the last step."""
        return len(self.steps) - 1

    @property
    def n_tokens(self) -> int:
        return int(self.weights.size)

    @property
    def size(self) -> int:
        """D, the dimensions of the head."""
        return int(self.q.size)

    @property
    def root(self) -> float:
        return math.sqrt(self.size)

    @property
    def target(self) -> int:
        """The key with the largest weight."""
        return int(np.argmax(self.weights))

    def hidden(self, key: int) -> bool:
        return not math.isfinite(float(self.masked[key]))

    def told(self, step: int, *cell: int) -> Arithmetic:
        """Returns the arithmetic of one cell of a step, whose arrays have one row: the query's."""
        before = {MIX: (0, 0), PREDICT: ()}.get(step, (0,))
        return arithmetic(self.steps[step], (*before, *cell))


def number_of(token: int) -> bytes:
    """Returns a name for a token whose bytes are unknown."""
    return f"<{token}>".encode()


def scene_of(trace: Trace, heads: Heads, piece_of: Callable[[int], bytes] = number_of) -> Scene:
    """Reads the steps of `trace` (`core.trace_attention`), which belongs to these heads; `piece_of`
    returns the bytes of a token.
    """
    about = trace.about
    head, query = int(about["head"]), int(about["query"])
    step = {one.name.removeprefix("attention."): one for one in trace}
    q = step["project"].value("q")[0, head]
    k, v = (step["project"].value(name)[0, int(about["kv_head"])] for name in "kv")
    return Scene(
        steps=tuple(trace),
        labels=heads.prompt.labels,
        query=query,
        q=q[query],
        k=k,
        v=v,
        products=step["products"].value("products")[0],
        scores=step["scores"].value("scores")[0],
        scaled=step["scale"].value("scaled")[0],
        masked=step["mask"].value("masked")[0],
        weights=step["softmax"].value("weights")[0],
        output=step["output"].value("output")[0],
        downstream=_downstream(trace, step, heads, piece_of) if "mix" in step else None,
    )


def _downstream(
    trace: Trace, step: dict[str, Step], heads: Heads, piece_of: Callable[[int], bytes]
) -> Downstream:
    about, layer = trace.about, int(trace.about["layer"])
    mix, add = step["mix"], step["add"]
    return Downstream(
        w_o=mix.value("weights")[0],
        by_head=about["by_head"],
        bias=about["bias"],
        written=mix.value("written")[0, 0],
        others=add.value("others")[0],
        residual=add.value("residual")[0],
        added=add.value("added")[0],
        layers_left=heads.shape[0] - 1 - layer,
        post_norm=about["post_norm"],
        n_off=len(heads.off),
        is_off=(layer, about["head"]) in heads.off,
        likeliest=likeliest(
            step["predict"].value("probabilities"),
            about["before"],
            next(iter(about["ids"][about["query"] + 1 :].tolist()), None),
            piece_of,
        ),
    )


def likeliest(
    shares: np.ndarray,
    before: np.ndarray | None,
    came: int | None,
    piece_of: Callable[[int], bytes],
) -> tuple[Likely, ...]:
    """Returns the TEN likeliest tokens by their probabilities (V,), `before` with all heads on. The
    text's next token and the likeliest of `before` take the last places if they are missing.
    """
    tokens = np.argsort(-shares, kind="stable")[:TEN].tolist()
    looked_for = [] if before is None else [int(np.argmax(before))]
    looked_for += [] if came is None else [came]
    missing = [one for one in dict.fromkeys(looked_for) if one not in tokens]
    tokens = [*tokens[: TEN - len(missing)], *missing]
    return tuple(
        Likely(
            token,
            piece_of(token),
            float(shares[token]),
            None if before is None else float(before[token]),
            token == came,
        )
        for token in tokens
    )


def keys_to_show(weights: np.ndarray, query: int, room: int) -> list[int]:
    """Returns the keys to show if not all fit: the heaviest, the query itself, a few hidden ones.

    weights (T,) are those of the query. At least two later tokens are included, so that the mask
    has something to hide.
    """
    T = int(weights.size)
    if room >= T:
        return list(range(T))
    later = list(range(query + 1, T))
    kept = {query, *later[: min(3, max(0, room // 5))]}
    heaviest = np.argsort(-weights[: query + 1], kind="stable").tolist()
    for key in [*heaviest, *later]:
        if len(kept) >= room:
            break
        kept.add(key)
    return sorted(kept)
