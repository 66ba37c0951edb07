"""The steps of one query as plain numbers: what the pictures of the steps draw. No Qt."""

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
    *("mix", "add", "predict"),  # with the model's weights alone
)
(PROJECT, PRODUCTS, SCORES, SCALE, MASK, SOFTMAX, WEIGH, OUTPUT, MIX, ADD, PREDICT) = range(11)
TEN = 10  # of the likeliest tokens


@dataclass(frozen=True, eq=False)
class Likely:
    """A token that may come next.

    before  how likely it is with all heads on, where some are off
    came    it is the one that did
    """

    token: int
    piece: bytes
    share: float
    before: float | None
    came: bool


@dataclass(frozen=True, eq=False)
class Downstream:
    """What comes of what the head read: w_o (D, C), by_head (H, C), the others (C,).

    bias       of W_O, which belongs to no head; None without one
    post_norm  a norm follows the sum
    n_off      how many heads of the model are off
    likeliest  tokens, and those that a person looks for, last where they are none of them: the one
               that came, and with heads off the likeliest of the whole model
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
        """The likeliest."""
        return self.likeliest[0]

    @property
    def came(self) -> Likely | None:
        return next((one for one in self.likeliest if one.came), None)

    @property
    def favorite(self) -> Likely:
        """The likeliest with all heads on."""
        return max(self.likeliest, key=lambda one: one.share if one.before is None else one.before)


@dataclass(frozen=True, eq=False)
class Scene:
    """One query's way through a head: q, o (D,), k, v, products (T, D), the others (T,).

    steps       the Steps that it was read from
    downstream  what comes of it, where the model's weights were there to tell
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
        """The last step."""
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
        """The key that gets the most."""
        return int(np.argmax(self.weights))

    def hidden(self, key: int) -> bool:
        return not math.isfinite(float(self.masked[key]))

    def told(self, step: int, *cell: int) -> Arithmetic:
        """A step's line with the numbers of one cell; the query is the only one in its row."""
        before = {MIX: (0, 0), PREDICT: ()}.get(step, (0,))
        return arithmetic(self.steps[step], (*before, *cell))


def number_of(token: int) -> bytes:
    """What a token is called whose bytes nobody knows."""
    return f"<{token}>".encode()


def scene_of(trace: Trace, heads: Heads, piece_of: Callable[[int], bytes] = number_of) -> Scene:
    """Reads the steps of `trace` (`core.trace_attention`), which is of these heads; `piece_of`
    gives the bytes of a token.
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
    """The TEN likeliest tokens of shares (V,). `before` (V,) are the shares with all heads on: the
    likeliest of those, and the one that came, take the last places if they are none of the ten.
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
    """Which keys the steps show when not all fit: the heaviest, the query itself, a few hidden.

    weights (T,) of the query. At least two of the tokens that come later stay, so that the mask
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
