"""The numbers of one query's Trace, cut to the keys that fit: what the steps draw. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.substitution import Arithmetic, arithmetic
from explorer.panes.attention.model import quoted

if TYPE_CHECKING:
    from core.trace import Step, Trace

STEPS = ("project", "products", "scores", "scale", "mask", "softmax", "weigh", "output")
(PROJECT, PRODUCTS, SCORES, SCALE, MASK, SOFTMAX, WEIGH, OUTPUT) = range(8)


@dataclass(frozen=True, eq=False)
class Story:
    """One query's way through a head: q, o (D,), k, v, products (T, D), the others (T,).

    steps  the eight Steps that it was read from
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

    def why_hidden(self, key: int) -> str:
        return "comes later" if key > self.query else "is too far back"

    def told(self, step: int, *cell: int) -> Arithmetic:
        """A step's line with the numbers of one cell; the query is the only one in its row."""
        return arithmetic(self.steps[step], (0, *cell))


def story_of(trace: Trace, labels: Sequence[str]) -> Story:
    """Reads the eight steps of `trace` (`core.trace_attention`)."""
    about = trace.about
    head, query = int(about["head"]), int(about["query"])
    step = {one.name.removeprefix("attention."): one for one in trace}
    q = step["project"].value("q")[0, head]
    k, v = (step["project"].value(name)[0, int(about["kv_head"])] for name in "kv")
    return Story(
        steps=tuple(trace),
        labels=labels,
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
    )


def seen(mode: str, hide_first: bool = False) -> str:
    """What a person sees, in words, while no step is shown; "" for the steps."""
    names = {"map": "Heat map", "arcs": "Arcs"}
    if mode not in names:
        return ""
    rest = ", the first token left out" if hide_first else ""
    return f"{names[mode]}: the weights that softmax gave{rest}"


def title(story: Story, step: int) -> str:
    """One sentence for the step, with the tokens that it is about."""
    me = quoted(story.labels[story.query])
    best = quoted(story.labels[story.target])
    return (
        f"The token {me} asks with its query q; every token offers a key k and a value v.",
        f"Multiply the query of {me} with every key, dimension by dimension.",
        "Add up each row's products: one score for each token.",
        f"Divide by \u221a{story.size}, so that scores do not grow with the size of the head.",
        _hides(story, me),
        f"Softmax turns scores into weights that sum to 1: most goes to {best}.",
        "Scale each value by its weight.",
        f"Add them up: this is what {me} has read, most of it from {best}.",
    )[step]


def _hides(story: Story, me: str) -> str:
    """What the mask takes from the query: all that comes later, in a window also what is far."""
    later = story.n_tokens - 1 - story.query
    far = sum(story.hidden(key) for key in range(story.query))
    if far:
        after = f" and the {later} after it" if later else ""
        return f"Hide the {far} tokens too far before {me}{after}: this layer sees a window."
    if not later:
        return f"Nothing to hide: {me} is the last token, so it may look at every one."
    what = f"the {later} tokens" if later > 1 else "the token"
    return f"Hide {what} after {me}: the model must not see what it is to predict."
