"""The numbers of one query's Trace, cut to the keys that fit: what the steps draw. No Qt here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.numbers import format_percent
from core.substitution import Arithmetic, arithmetic
from explorer.panes.attention.model import piece_text, quoted

if TYPE_CHECKING:
    from core.trace import Step, Trace
    from explorer.panes.attention.model import Heads

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
class After:
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
class Story:
    """One query's way through a head: q, o (D,), k, v, products (T, D), the others (T,).

    steps  the Steps that it was read from
    after  what comes of it, where the model's weights were there to tell
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
    after: After | None = None

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

    def why_hidden(self, key: int) -> str:
        return "comes later" if key > self.query else "is too far back"

    def told(self, step: int, *cell: int) -> Arithmetic:
        """A step's line with the numbers of one cell; the query is the only one in its row."""
        before = {MIX: (0, 0), PREDICT: ()}.get(step, (0,))
        return arithmetic(self.steps[step], (*before, *cell))


def number_of(token: int) -> bytes:
    """What a token is called whose bytes nobody knows."""
    return f"<{token}>".encode()


def story_of(trace: Trace, heads: Heads, piece_of: Callable[[int], bytes] = number_of) -> Story:
    """Reads the steps of `trace` (`core.trace_attention`), which is of these heads; `piece_of`
    gives the bytes of a token.
    """
    about = trace.about
    head, query = int(about["head"]), int(about["query"])
    step = {one.name.removeprefix("attention."): one for one in trace}
    q = step["project"].value("q")[0, head]
    k, v = (step["project"].value(name)[0, int(about["kv_head"])] for name in "kv")
    return Story(
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
        after=_after(trace, step, heads, piece_of) if "mix" in step else None,
    )


def _after(
    trace: Trace, step: dict[str, Step], heads: Heads, piece_of: Callable[[int], bytes]
) -> After:
    about, layer = trace.about, int(trace.about["layer"])
    mix, add = step["mix"], step["add"]
    return After(
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
    ends = "" if story.after is not None else " While the run trains, the steps end here."
    return (
        f"The token {me} asks with its query q; every token offers a key k and a value v.",
        f"Multiply the query of {me} with every key, dimension by dimension.",
        "Add up each row's products: one score for each token.",
        f"Divide by \u221a{story.size}, so that scores do not grow with the size of the head.",
        _hides(story, me),
        f"Softmax turns scores into weights that sum to 1: most goes to {best}.",
        "Scale each value by its weight.",
        f"Add them up: this is what {me} has read, most of it from {best}.{ends}",
        *_last_titles(story, me),
    )[step]


def _last_titles(story: Story, me: str) -> tuple[str, ...]:
    after = story.after
    if after is None:
        return ()
    others = len(after.by_head) - 1
    written = after.written.size
    mixed = f"W_O turns the {story.size} numbers that this head read into {written} that it writes."
    if after.is_off:
        mixed = "This head is off: nothing of what it read is written."
    beside = f", with what the {others} other heads write" if others else ""
    return mixed, f"Add it to the stream of {me}{beside}.", _predicted(after)


def _predicted(after: After) -> str:
    """What comes next, and what became of it where heads are off, or another token came."""
    top, came = after.top, after.came
    left = after.layers_left
    later = "After this last layer" if not left else f"{left} layer{'s' * (left > 1)} later"
    name, share = _named(top), format_percent(top.share)
    if top.before is not None:
        return _moved(after)
    if came is None:
        return f"{later} the model expects {name} next, with {share}."
    if came is top:
        return f"{later} the model expects {name} next, with {share}, and it came."
    other = f"{_named(came)} came ({format_percent(came.share)})"
    return f"{later} the model expects {name} next, with {share}; {other}."


def _named(one: Likely) -> str:
    return quoted(piece_text(one.piece))


def _moved(after: After) -> str:
    """What became of the token that is likeliest with all heads on."""
    heads = "1 head" if after.n_off == 1 else f"{after.n_off} heads"
    one, top, before = after.favorite, after.top, after.favorite.before or 0.0
    name, now, was = (
        quoted(piece_text(one.piece)),
        format_percent(one.share),
        format_percent(before),
    )
    moved = f"{'falls' if one.share < before else 'rises'} from {was} to {now}"
    text = f"With {heads} off, {name} {f'stays at {now}' if now == was else moved}"
    if one is top:
        return f"{text}."
    return f"{text}; {_named(top)} comes first, with {format_percent(top.share)}."


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
