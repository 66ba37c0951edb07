"""Builds the inspection of a step or a cell: formula and code of the Trace, with real numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.inference.head_comparison import moved_step
from core.numbers import MINUS, format_number
from core.tokenization.telling import count, visible
from core.trace import Step
from explorer.panes.attention import scene as S
from explorer.panes.attention import text
from explorer.panes.attention.comparison import Comparison
from explorer.panes.attention.compute import Heads, piece_text
from explorer.panes.attention.scene import Downstream, Scene
from explorer.panes.attention.text import likely_name, quoted
from explorer.panes.base import Inspection
from explorer.widgets.live_numbers import Equation, Terms, in_a_line

Labels = dict[str, tuple[Sequence[str], Sequence[str]]]  # rows and columns of each value

# For each step, the value that it computes, then the values that it reads.
TABLES = (
    *(("q", "k", "v"), ("products", "q", "k"), ("scores", "products"), ("scaled", "scores")),
    *(("masked", "scaled"), ("weights", "masked"), ("weighted", "weights", "v")),
    *(("output", "weighted"), ("written", "heads", "w_o", "bias")),
    *(("added", "residual", "written", "others"), ("probability", "all heads on")),
)
AXES = {
    **dict.fromkeys(("scores", "scaled", "masked", "weights"), ("token",)),
    **dict.fromkeys(("k", "v", "products", "weighted"), ("token", "dimension")),
    **dict.fromkeys(("q", "output"), ("dimension",)),
    **dict.fromkeys(("written", "residual", "others", "added", "bias"), ("stream",)),
    "heads": ("head", "stream"),
    "w_o": ("dimension", "stream"),
    **dict.fromkeys(("probability", "all heads on"), ("next",)),
}


def values_of(scene: Scene) -> dict[str, np.ndarray]:
    """Returns every value of the steps by name; AXES names their axes."""
    names = ("q", "k", "products", "scores", "scaled", "masked", "weights", "v", "output")
    values = {name: getattr(scene, name) for name in names}
    values["weighted"] = scene.weights[:, None] * scene.v
    one = scene.downstream
    if one is not None:
        names = ("written", "w_o", "residual", "others", "added", "bias")
        values |= {name: getattr(one, name) for name in names if getattr(one, name) is not None}
        values["heads"] = one.by_head
        values["probability"] = np.array([likely.share for likely in one.likeliest])
        if one.top.before is not None:
            values["all heads on"] = np.array([likely.before for likely in one.likeliest])
    return values


def labels_of(
    values: Mapping[str, np.ndarray], tokens: Sequence[str], scene: Scene | None = None
) -> Labels:
    """Returns the names of each value's rows and columns: tokens, dimensions, heads."""
    one = None if scene is None else scene.downstream
    size = max(max(array.shape, default=0) for array in values.values())
    names = {
        "token": [f"{place} {visible(token)}" for place, token in enumerate(tokens)],
        "dimension": [f"d{place}" for place in range(size)],
        "stream": [f"c{place}" for place in range(size)],
        "head": [f"head {place}" for place in range(size)],
        "next": [] if one is None else [visible(piece_text(it.piece)) for it in one.likeliest],
    }
    labels: Labels = {}
    for name, array in values.items():
        if array.ndim:
            axes = AXES[name][-array.ndim :]
            rows, *columns = (
                names[axis][:size] for axis, size in zip(axes, array.shape, strict=True)
            )
            labels[name] = (rows, columns[0] if columns else ())
    return labels


def step_inspection(scene: Scene, step: int, key: int | None, pinned: bool) -> Inspection:
    """Returns the inspection of a step for one key, by default the key with the largest weight."""
    if key is None or key >= scene.n_tokens:
        key = scene.target
    values = values_of(scene)
    table = {name: values[name] for name in TABLES[step] if name in values}
    labels = labels_of(table, scene.labels, scene)
    me, other = quoted(scene.labels[scene.query]), quoted(scene.labels[key])
    one = scene.steps[step]
    if step > S.OUTPUT and scene.downstream is not None:
        rows = _last_rows(scene, scene.downstream, step)
        return Inspection(one, rows, table, f"token {me}", labels=labels, plain=True)
    cell = f"query {me}, key {other}"
    return Inspection(one, _rows(scene, step, key), table, cell, pinned, labels=labels)


def cell_inspection(
    heads: Heads, step: Step | None, place: tuple[int, int], cell: tuple[int, int],
    hide: bool, pinned: bool, name: str,
) -> Inspection:  # fmt: skip
    """Returns the inspection of one weight in the picture called `name`: how it is computed, with
    real numbers and its whole row. `step` is the step of the Trace that computes the weights.
    """
    labels, (row, column), keys = heads.prompt.labels, cell, heads.keys_of(*place)
    q, k = heads.queries[place][row], keys[column]
    weights, window = heads.attention[place][row], heads.window(place[0])
    root, score = float(np.sqrt(q.size)), float(q @ k)
    me, other = quoted(labels[row]), quoted(labels[column])
    rows: list[Any] = [
        Terms(f"q \u00b7 k of {other}", q, k, ("q", "k"), result=score),
        Equation(f"\u00f7 \u221a{q.size}", score / root, "attention"),
    ]
    if column > row:
        rows.append(f"{other} comes later than {me}, so it is masked: its weight is 0.")
    elif window is not None and column <= row - window:
        rows.append(f"{other} is too far before {me}, so it is masked: its weight is 0.")
    else:
        rows.append(_weight(heads, float(weights[column])))
        if hide and column == 0:
            rows.append("The picture hides this cell, as it belongs to the first token.")
        elif hide:
            shown = float(heads.weights(*place, True)[row, column])
            rows.append(
                Equation(
                    "a, first token hidden", shown, "attention", "in a row rescaled to sum to 1"
                )
            )
    table = {"weights": weights, "q": q, "k": k, "products": q * k, "scores": keys @ q}
    said = f"query {me}, key {other}"
    return Inspection(step, rows, table, said, pinned, name, labels_of(table, labels))


def _weight(heads: Heads, weight: float) -> Equation:
    if heads.vectors is None:
        return Equation("a, after softmax", weight, "attention")
    told = f"at step {heads.version:,}, while q and k are from step {heads.vectors:,}"
    return Equation("a, recorded", weight, "attention", told)


def _rows(scene: Scene, step: int, key: int) -> list[Any]:
    other = quoted(scene.labels[key])
    score, scaled = float(scene.scores[key]), float(scene.scaled[key])
    match step:
        case S.PROJECT:
            return [
                Equation("q", _few(scene.q), "q", f"of {quoted(scene.labels[scene.query])}"),
                Equation("k", _few(scene.k[key]), "k", f"of {other}"),
                Equation("v", _few(scene.v[key]), "v", f"of {other}"),
            ]
        case S.PRODUCTS | S.SCORES:
            return [Terms(f"q \u00b7 k of {other}", scene.q, scene.k[key], result=score)]
        case S.SCALE:
            return [
                Equation("q \u00b7 k", score, "attention", f"of {other}"),
                Equation(f"\u221a{scene.size}", scene.root, "muted"),
                Equation("q \u00b7 k \u00f7 \u221ad", scaled, "attention"),
            ]
        case S.MASK if scene.hidden(key):
            why = f"{other} {text.why_hidden(scene, key)}, so its score becomes"
            return [why, Equation("m", f"{MINUS}\u221e", "attention")]
        case S.MASK:
            return [f"{other} can be seen, so its score stays", Equation("m", scaled, "attention")]
        case S.SOFTMAX:
            return _softmax_rows(scene, key)
        case S.WEIGH:
            largest = sorted(np.argsort(-np.abs(scene.v[key]), kind="stable")[:3].tolist())
            told = [(place, scene.told(S.WEIGH, key, place)) for place in largest]
            return [
                Equation(f"a v, dimension {place}", one.value, "v", f"{one.sign} {one.expression}")
                for place, one in told
            ]
    largest = int(np.argmax(np.abs(scene.output)))
    names = [quoted(label) for label in scene.labels]
    factors, result = (scene.weights, scene.v[:, largest]), float(scene.output[largest])
    return [Terms(f"o, dimension {largest}", *factors, ("attention", "v"), names, result)]


def _softmax_rows(scene: Scene, key: int) -> list[Any]:
    if scene.hidden(key):
        return [
            Equation(f"e^({MINUS}\u221e)", 0.0, "attention"),
            Equation("weight a", 0.0, "attention"),
        ]
    return [
        Equation("score m", float(scene.masked[key]), "attention"),
        "The weight is e^m divided by the sum of e^m over all keys. To keep e^m from overflowing, "
        "PyTorch first subtracts the largest m from each, which leaves the weights the same. "
        "Without that step:",
        in_a_line(scene.told(S.SOFTMAX, key)),
        Equation("weight a", float(scene.weights[key]), "attention"),
    ]


def _last_rows(scene: Scene, one: Downstream, step: int) -> list[Any]:
    """Returns rows for the dimension that the head writes most to, or for the likeliest tokens."""
    if step == S.PREDICT:
        return _token_rows(scene, one)
    place = int(np.argmax(np.abs(one.written)))
    total = float(one.written[place])
    if step == S.MIX:
        if one.is_off:
            return ["This head is off, so its output is 0 in every dimension."]
        name, factors = f"w, dimension {place}", (scene.output, one.w_o[:, place])
        return [Terms(name, *factors, ("attention", "text"), result=total)]
    others = float(one.by_head.sum(axis=0)[place] - total)
    others_note = f"sum over {count(len(one.by_head) - 1, 'head')}"
    rows: list[Any] = [
        Equation("x", float(one.residual[place]), "text", f"dimension {place} of the stream"),
        Equation("w", total, "attention", "output of this head"),
        Equation("w of the other heads", others, "attention", others_note),
    ]
    if one.bias is not None:
        rows.append(Equation("b", float(one.bias[place]), "text", "bias of W_O"))
    name = "s" if one.post_norm else "x\u2032"
    rows.append(Equation(name, float(one.added[place]), "text", "their sum"))
    if one.post_norm:
        rows.append("A norm then brings the sum to a fixed size, which gives x\u2032.")
    return rows


def _token_rows(scene: Scene, one: Downstream) -> list[Any]:
    rows: list[Any] = [
        f"The probability of {likely_name(one.top)} is e^z divided by the sum of e^z over all "
        "tokens of the vocabulary, where z is a token's logit. The largest z is subtracted first:",
        in_a_line(scene.told(S.PREDICT, one.top.token)),
    ]
    for likely in one.likeliest:
        notes = ["next in the text"] if likely.came else []
        if likely.before is not None:
            notes.insert(0, f"{format_number(likely.before)} with all heads on")
        name = f"p of {likely_name(likely)}"
        rows.append(Equation(name, likely.share, "text", ", ".join(notes)))
    return rows


def _few(values: np.ndarray) -> str:
    shown = ", ".join(format_number(float(value)) for value in values[:3])
    return f"{shown}, \u2026"


def comparison_inspection(
    found: Comparison, layer: int, head: int, cell: tuple[int, int] | None, hide: bool, title: str
) -> Inspection:
    """Returns the inspection of one weight in both readings, by default the most changed one."""
    both = found.weights(layer, head, hide)
    if cell is None:
        row = found.query(layer, head)
        told = np.abs(both[1][row] - both[0][row]) if found.is_aligned else both[0][row]
        cell = row, int(told.argmax())
    rows: list[Any] = []
    names = text.reading_names(found)
    labels = found.first.prompt.labels, found.second.prompt.labels
    letters = "a\u207d\u00b9\u207e", "a\u207d\u00b2\u207e"
    for letter, name, weights, pieces in zip(letters, names, both, labels, strict=True):
        if max(cell) < len(pieces):
            query, key = (quoted(pieces[place]) for place in cell)
            said = f"how much {query} looks at {key if cell[0] != cell[1] else 'itself'}"
            rows.append(Equation(f"{letter}, {name}", float(weights[cell]), "attention", said))
    step = None
    if found.is_aligned:
        step = moved_step(both[0][cell[0]], both[1][cell[0]])
        moved = float(step.value("moved"))
        rows.append(Equation("d", moved, "text", "share of this query's attention that moves"))
    else:
        difference = float(found.difference[layer, head])
        rows.append(
            Equation("this head", difference, "text", "largest difference between its scores")
        )
    numbered = [[f"{at} {piece}" for at, piece in enumerate(pieces)] for pieces in labels]
    return Inspection(
        step,
        rows,
        dict(zip(names, both, strict=True)),
        f"query {cell[0]}, key {cell[1]}",
        title=title,
        labels={name: (one, one) for name, one in zip(names, numbered, strict=True)},
        plain=True,
    )
