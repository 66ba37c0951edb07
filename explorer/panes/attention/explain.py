"""What the inspector shows for a step or a cell: formula and code from the Trace, live numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.numbers import MINUS
from core.numbers import format_number as number
from explorer.panes.attention import story as S
from explorer.panes.attention.model import Heads, piece_text, quoted
from explorer.panes.attention.story import After, Story
from explorer.panes.base import Inspection
from explorer.widgets.base import visible_text
from explorer.widgets.live_numbers import Equation, Terms, in_a_line

PER_TOKEN = ("scores", "scaled", "masked", "weights")  # one number for each token


def step_inspection(trace: Any, story: Story, step: int, key: int, pinned: bool) -> Inspection:
    """A step of the Trace for one key."""
    me, other = quoted(story.labels[story.query]), quoted(story.labels[key])
    one = trace[step]
    if step > S.OUTPUT and story.after is not None:
        table, named = after_table(story.after), after_labels(story.after)
        rows = _last_rows(story, story.after, step)
        made = {S.MIX: "written", S.ADD: "added", S.PREDICT: "probability"}[step]
        table = {made: table[made], **table}
        return Inspection(one, rows, table, f"token {me}", labels=named, plain=True)
    cell = f"query {me}, key {other}"
    table = _table(story, step)
    named = table_labels(table, story.labels)
    return Inspection(one, _rows(story, step, key), table, cell, pinned, labels=named)


def cell_inspection(
    heads: Heads,
    trace: Any,
    layer: int,
    head: int,
    row: int,
    column: int,
    hide: bool,
    pinned: bool,
    name: str,
    window: int | None = None,
) -> Inspection:
    """One weight of the heat map or the arcs, called `name`: where it comes from, with this row's
    own numbers."""
    labels = heads.prompt.labels
    q, k = heads.queries[layer, head, row], heads.keys_of(layer, head)[column]
    weights = heads.attention[layer, head, row]
    root = float(np.sqrt(q.size))
    score = float(q @ k)
    me, other = quoted(labels[row]), quoted(labels[column])
    rows: list[Any] = [
        Terms(f"q \u00b7 k of {other}", q, k, ("q", "k"), result=score),
        Equation(f"\u00f7 \u221a{q.size}", score / root, "attention"),
    ]
    if column > row:
        rows.append(f"{other} comes later than {me}: masked, weight 0")
    elif window is not None and column <= row - window:
        rows.append(f"{other} is too far before {me}: masked, weight 0")
    else:
        rows.append(_weight(heads, float(weights[column])))
        if hide and column == 0:
            rows.append("hidden in the picture: it is the first token")
        elif hide:
            shown = float(heads.weights(layer, head, True)[row, column])
            rows.append(Equation("a, first token hidden", shown, "attention", "row scaled to 1"))
    table = {
        "weights": weights,
        "q": q,
        "k": k,
        "products": q * k,
        "scores": heads.keys_of(layer, head) @ q,
    }
    step = trace[S.SOFTMAX] if trace is not None else None
    cell = f"query {me}, key {other}"
    return Inspection(step, rows, table, cell, pinned, name, table_labels(table, labels))


def _weight(heads: Heads, weight: float) -> Equation:
    if heads.vectors is None:
        return Equation("a, after softmax", weight, "attention")
    told = f"at step {heads.version:,}; q and k are those of step {heads.vectors:,}"
    return Equation("a, recorded", weight, "attention", told)


def _rows(story: Story, step: int, key: int) -> list[Any]:
    other = quoted(story.labels[key])
    score, scaled = float(story.scores[key]), float(story.scaled[key])
    weight = float(story.weights[key])
    if step == S.PROJECT:
        return [
            Equation("q", _few(story.q), "q", f"of {quoted(story.labels[story.query])}"),
            Equation("k", _few(story.k[key]), "k", f"of {other}"),
            Equation("v", _few(story.v[key]), "v", f"of {other}"),
        ]
    if step in (S.PRODUCTS, S.SCORES):
        return [Terms(f"q \u00b7 k of {other}", story.q, story.k[key], ("q", "k"), result=score)]
    if step == S.SCALE:
        return [
            Equation("q \u00b7 k", score, "attention", f"of {other}"),
            Equation(f"\u221a{story.size}", story.root, "muted"),
            Equation("q \u00b7 k \u00f7 \u221ad", scaled, "attention"),
        ]
    if step == S.MASK:
        if story.hidden(key):
            return [
                f"{other} {story.why_hidden(key)}:",
                Equation("m", f"{MINUS}\u221e", "attention"),
            ]
        return [f"{other} may be seen:", Equation("m", scaled, "attention", "unchanged")]
    if step == S.SOFTMAX:
        return _softmax(story, key, weight)
    if step == S.WEIGH:
        value = story.v[key]
        largest = sorted(int(i) for i in np.argsort(-np.abs(value), kind="stable")[:3])
        told = [(index, story.told(S.WEIGH, key, index)) for index in largest]
        return [
            Equation(f"a v, dimension {index}", one.value, "v", f"{one.sign} {one.expression}")
            for index, one in told
        ]
    strongest = int(np.argmax(np.abs(story.output)))
    names = [quoted(label) for label in story.labels]
    return [
        Terms(
            f"o, dimension {strongest}",
            story.weights,
            story.v[:, strongest],
            ("attention", "v"),
            names,
            float(story.output[strongest]),
        )
    ]


def _last_rows(story: Story, after: After, step: int) -> list[Any]:
    """Of the dimension that the head writes most to, and of the likeliest tokens."""
    if step == S.PREDICT:
        top = after.top
        rows: list[Any] = [
            f"e^z over the sum of e^z of all tokens, the largest z taken off each, for "
            f"{quoted(piece_text(top.piece))}:",
            in_a_line(story.told(S.PREDICT, top.token)),
        ]
        for one in after.likeliest:
            note = "this one came" if one.came else ""
            if one.before is not None:
                note = f"{number(one.before)} with all heads on" + (f", {note}" if note else "")
            name = quoted(piece_text(one.piece))
            rows.append(Equation(f"p of {name}", one.share, "text", note))
        return rows
    place = int(np.argmax(np.abs(after.written)))
    total = float(after.written[place])
    if step == S.MIX:
        if after.is_off:
            return ["This head is off: it writes 0 to every dimension of the stream."]
        name = f"w, dimension {place}"
        roles = ("attention", "text")
        return [Terms(name, story.output, after.w_o[:, place], roles, result=total)]
    others = after.by_head.sum(axis=0)[place] - total
    rows = [
        Equation("x", float(after.residual[place]), "text", f"dimension {place} of the stream"),
        Equation("w", total, "attention", "what this head writes"),
        Equation("w of the others", float(others), "attention", f"{len(after.by_head) - 1} heads"),
    ]
    if after.bias is not None:
        rows.append(Equation("b", float(after.bias[place]), "text", "bias of W_O"))
    name = "s" if after.post_norm else "x\u2032"
    rows.append(Equation(name, float(after.added[place]), "text", "their sum"))
    if after.post_norm:
        rows.append("A norm then brings the sum to one size: that is x\u2032.")
    return rows


def after_table(after: After) -> dict[str, np.ndarray]:
    """Every value of the last steps, one row each where they belong together."""
    table = {
        "written": after.written,
        "heads": after.by_head,
        "w_o": after.w_o,
        "residual": after.residual,
        "others": after.others,
        "added": after.added,
        "probability": np.array([one.share for one in after.likeliest]),
    }
    if after.bias is not None:
        table["bias"] = after.bias
    if after.top.before is not None:
        table["all heads on"] = np.array([one.before for one in after.likeliest])
    return table


def after_labels(after: After) -> dict[str, tuple[Sequence[str], Sequence[str]]]:
    """What rows and columns of `after_table` are."""
    D, C = after.w_o.shape
    stream = [f"c{place}" for place in range(C)]
    heads = [f"head {place}" for place in range(len(after.by_head))]
    tokens = [visible_text(piece_text(one.piece)) for one in after.likeliest]
    named: dict[str, tuple[Sequence[str], Sequence[str]]] = {
        "heads": (heads, stream),
        "w_o": ([f"d{place}" for place in range(D)], stream),
        "probability": (tokens, ()),
        "all heads on": (tokens, ()),
    }
    return {name: named.get(name, (stream, ())) for name in after_table(after)}


def _softmax(story: Story, key: int, weight: float) -> list[Any]:
    if story.hidden(key):
        return [
            Equation(f"e^({MINUS}\u221e)", 0.0, "attention"),
            Equation("weight a", 0.0, "attention"),
        ]
    return [
        Equation("score m", float(story.masked[key]), "attention"),
        "e^m over the sum of e^m of all keys. Torch first subtracts the largest m from each: the "
        "weights are the same, and no e^m overflows:",
        in_a_line(story.told(S.SOFTMAX, key)),
        Equation("weight a", weight, "attention"),
    ]


def _few(values: np.ndarray) -> str:
    shown = ", ".join(number(float(value)) for value in values[:3])
    return f"{shown}, \u2026"


def _table(story: Story, step: int) -> dict[str, np.ndarray]:
    """Every value of the step for this head, with the tokens down the rows."""
    return (
        {"q": story.q, "k": story.k, "v": story.v},
        {"products": story.products, "q": story.q, "k": story.k},
        {"scores": story.scores, "products": story.products},
        {"scaled": story.scaled, "scores": story.scores},
        {"masked": story.masked, "scaled": story.scaled},
        {"weights": story.weights, "masked": story.masked},
        {"weighted": story.weights[:, None] * story.v, "weights": story.weights, "v": story.v},
        {"output": story.output, "weighted": story.weights[:, None] * story.v},
    )[step]


def table_labels(
    table: Mapping[str, np.ndarray], tokens: Sequence[str]
) -> dict[str, tuple[Sequence[str], Sequence[str]]]:
    """What rows and columns of each value are: tokens with their place, dimensions of the head."""
    pieces = [f"{place} {visible_text(token)}" for place, token in enumerate(tokens)]
    several = {name: array for name, array in table.items() if array.ndim}
    sizes = [array.shape[-1] for name, array in several.items() if name not in PER_TOKEN]
    dimensions = [f"d{place}" for place in range(max(sizes, default=0))]
    found: dict[str, tuple[Sequence[str], Sequence[str]]] = {}
    for name, array in several.items():
        rows = pieces if array.ndim == 2 or name in PER_TOKEN else dimensions
        found[name] = (rows, dimensions if array.ndim == 2 else ())
    return found
