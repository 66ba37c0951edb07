"""One line of live numbers below the steps, as pieces of text with the color of what they name."""

from __future__ import annotations

import numpy as np

from explorer import theme
from explorer.panes.attention import story as stories
from explorer.panes.attention.model import quoted
from explorer.panes.attention.story import Story
from explorer.theme.numbers import TIMES
from explorer.theme.numbers import format_number as number

Piece = tuple[str, str]  # text, color role


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
        divided = f" \u00f7 \u221a{story.size} = {number(story.scores[key])} \u00f7 "
        return [
            lead,
            (number(story.scores[key]), "attention"),
            (f"{divided}{number(story.root)} = ", "muted"),
            (number(story.scaled[key]), "attention"),
        ]
    if step == stories.MASK:
        if story.hidden(key):
            why: Piece = (f"{story.why_hidden(key)}: ", "muted")
            return [lead, why, (f"{theme.MINUS}\u221e", "attention"),
                    (", so its weight will be 0", "muted")]  # fmt: skip
        return [lead, ("may be seen: stays ", "muted"), (number(story.masked[key]), "attention")]
    if step == stories.SOFTMAX:
        return [lead, *_softmax(story, key)]
    if step == stories.WEIGH:
        strongest = int(np.argmax(np.abs(story.v[key])))
        value = story.v[key, strongest]
        return [
            lead,
            (number(weight), "attention"), (f" {TIMES} ", "muted"), ("v", "v"),
            (f", in dimension {strongest}: ", "muted"),
            (number(weight), "attention"), (f" {TIMES} ", "muted"), (number(value), "v"),
            (f" = {number(weight * value)}", "text"),
        ]  # fmt: skip
    best = np.argsort(-story.weights, kind="stable")[:3]
    pieces: list[Piece] = [("o", "attention"), (" = ", "muted")]
    for place, one in enumerate(int(index) for index in best if story.weights[index] > 0):
        pieces += [
            (" + " if place else "", "muted"),
            (number(story.weights[one]), "attention"),
            (" v", "v"),
            (f" of {quoted(story.labels[one])}", "muted"),
        ]
    rest = 1.0 - float(story.weights[best].sum())
    return [*pieces, (f" + {number(max(0.0, rest))} of the others", "muted")]


def _sum(story: Story, key: int) -> list[Piece]:
    products = story.products[key]
    shown = sorted(int(i) for i in np.argsort(-np.abs(products), kind="stable")[:3])
    pieces: list[Piece] = [("q", "q"), ("\u00b7", "muted"), ("k", "k"), (" = ", "muted")]
    for place, index in enumerate(shown):
        pieces += [
            (" + " if place else "", "muted"),
            (number(story.q[index]), "q"),
            (TIMES, "muted"),
            (number(story.k[key, index]), "k"),
        ]
    rest = float(products.sum() - products[shown].sum())
    more = products.size - len(shown)
    if more > 0:
        pieces.append((f" + ({more} more = {number(rest)})", "muted"))
    return [*pieces, (" = ", "muted"), (number(story.scores[key]), "attention")]


def _softmax(story: Story, key: int) -> list[Piece]:
    if story.hidden(key):
        return [(f"e^{theme.MINUS}\u221e = 0: weight ", "muted"), ("0", "attention")]
    top, mine, total = story.softmax_of(key)
    return [
        (f"e^({number(story.masked[key])} {theme.MINUS} {number(top)}) \u00f7 sum = ", "muted"),
        (f"{number(mine)} \u00f7 {number(total)} = ", "muted"),
        (number(story.weights[key]), "attention"),
    ]
