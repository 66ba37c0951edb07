"""One line of live numbers below the steps, as pieces of text with the color of what they name."""

from __future__ import annotations

import numpy as np

from explorer import theme
from explorer.panes.attention import story as stories
from explorer.panes.attention.model import quoted
from explorer.panes.attention.story import Story

TIMES = "\u00d7"
Piece = tuple[str, str]  # text, color role


def fixed(value: float) -> str:
    return theme.format_fixed(float(value), 2)


def live_line(story: Story, step: int, key: int) -> list[Piece]:
    """The arithmetic of `step` for one key, with its real numbers."""
    name = quoted(story.labels[key])
    lead: Piece = (f"{name}  ", "text")
    weight = story.weights[key]
    if step <= stories.PROJECT:
        return [
            (f"{story.size} numbers each: ", "muted"),
            ("q ", "q"), ("asks, ", "muted"),
            ("k ", "k"), ("is matched, ", "muted"),
            ("v ", "v"), ("is what can be read", "muted"),
        ]  # fmt: skip
    if step in (stories.PRODUCTS, stories.SCORES):
        return [lead, *_sum(story, key)]
    if step == stories.SCALE:
        divided = f" \u00f7 \u221a{story.size} = {fixed(story.scores[key])} \u00f7 "
        return [
            lead,
            (fixed(story.scores[key]), "attention"),
            (f"{divided}{fixed(story.root)} = ", "muted"),
            (fixed(story.scaled[key]), "attention"),
        ]
    if step == stories.MASK:
        if story.hidden(key):
            return [lead, ("comes later: ", "muted"), (f"{theme.MINUS}\u221e", "attention"),
                    (", so its weight will be 0", "muted")]  # fmt: skip
        return [lead, ("may be seen: stays ", "muted"), (fixed(story.masked[key]), "attention")]
    if step == stories.SOFTMAX:
        return [lead, *_softmax(story, key)]
    if step == stories.WEIGH:
        strongest = int(np.argmax(np.abs(story.v[key])))
        value = story.v[key, strongest]
        return [
            lead,
            (fixed(weight), "attention"), (f" {TIMES} ", "muted"), ("v", "v"),
            (f", in dimension {strongest}: ", "muted"),
            (fixed(weight), "attention"), (f" {TIMES} ", "muted"), (fixed(value), "v"),
            (f" = {fixed(weight * value)}", "text"),
        ]  # fmt: skip
    best = np.argsort(-story.weights, kind="stable")[:3]
    pieces: list[Piece] = [("o", "attention"), (" = ", "muted")]
    for place, one in enumerate(int(index) for index in best if story.weights[index] > 0):
        pieces += [
            (" + " if place else "", "muted"),
            (fixed(story.weights[one]), "attention"),
            (" v", "v"),
            (f" of {quoted(story.labels[one])}", "muted"),
        ]
    rest = 1.0 - float(story.weights[best].sum())
    return [*pieces, (f" + {fixed(max(0.0, rest))} of the others", "muted")]


def _sum(story: Story, key: int) -> list[Piece]:
    products = story.products[key]
    shown = sorted(int(i) for i in np.argsort(-np.abs(products), kind="stable")[:3])
    pieces: list[Piece] = [("q", "q"), ("\u00b7", "muted"), ("k", "k"), (" = ", "muted")]
    for place, index in enumerate(shown):
        pieces += [
            (" + " if place else "", "muted"),
            (fixed(story.q[index]), "q"),
            (TIMES, "muted"),
            (fixed(story.k[key, index]), "k"),
        ]
    rest = float(products.sum() - products[shown].sum())
    more = products.size - len(shown)
    if more > 0:
        pieces.append((f" + {more} more {fixed(rest)}", "muted"))
    return [*pieces, (" = ", "muted"), (fixed(story.scores[key]), "attention")]


def _softmax(story: Story, key: int) -> list[Piece]:
    if story.hidden(key):
        return [(f"e^{theme.MINUS}\u221e = 0: weight ", "muted"), ("0.00", "attention")]
    seen = story.masked[np.isfinite(story.masked)]
    top = float(seen.max())
    # Shifted by the largest score, as softmax is computed: no number overflows.
    mine, total = np.exp(float(story.masked[key]) - top), float(np.exp(seen - top).sum())
    return [
        (f"e^({fixed(story.masked[key])} {theme.MINUS} {fixed(top)}) \u00f7 sum = ", "muted"),
        (f"{fixed(mine)} \u00f7 {fixed(total)} = ", "muted"),
        (fixed(story.weights[key]), "attention"),
    ]
