"""One line of live numbers below the steps, as pieces of text with the color of what they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np

from core.numbers import MINUS, TIMES
from core.numbers import format_number as number
from core.substitution import Arithmetic
from explorer.panes.attention import story as stories
from explorer.panes.attention.model import piece_text, quoted
from explorer.panes.attention.story import After, Story

Piece = tuple[str, str]  # text, color role
ROLES = {
    **dict.fromkeys(("q", "query"), "q"),
    **dict.fromkeys(("k", "keys"), "k"),
    **dict.fromkeys(("v", "values"), "v"),
    **dict.fromkeys(("scores", "masked", "weights", "weight"), "attention"),
}
LAST = {
    **dict.fromkeys(("heads", "written"), "attention"),
    **dict.fromkeys(("weights", "residual", "others", "scaled"), "text"),  # the weights are W_O's
}


def written(
    told: Arithmetic, role: str = "attention", roles: Mapping[str, str] = ROLES
) -> Iterator[Piece]:
    """Each number in the color of what the code's name for it stands for."""
    for piece in told.pieces:
        yield piece.text, roles.get(piece.name, "muted")
    yield f" {told.sign} ", "muted"
    yield told.result, role


@lru_cache(maxsize=64)
def live_line(story: Story, step: int, key: int) -> tuple[Piece, ...]:
    """The arithmetic of `step` for one key, with its real numbers; it is drawn in every frame."""
    name = quoted(story.labels[key])
    lead: Piece = (f"{name}  ", "text")
    weight = story.weights[key]
    if step <= stories.PROJECT:
        return (
            (f"{story.size} numbers each: ", "muted"),
            ("q ", "q"), ("asks, ", "muted"),
            ("k ", "k"), ("is matched, ", "muted"),
            ("v ", "v"), ("is what can be read", "muted"),
        )  # fmt: skip
    if step in (stories.PRODUCTS, stories.SCORES):
        product = ("q", "q"), ("\u00b7", "muted"), ("k", "k"), (" = ", "muted")
        return (lead, *product, *written(story.told(stories.SCORES, key)))
    if step == stories.SCALE:
        divided: Piece = (f"q\u00b7k \u00f7 \u221a{story.size} = ", "muted")
        return (lead, divided, *written(story.told(step, key)))
    if step == stories.MASK:
        if story.hidden(key):
            why: Piece = (f"{story.why_hidden(key)}: ", "muted")
            return (lead, why, (f"{MINUS}\u221e", "attention"),
                    (", so its weight will be 0", "muted"))  # fmt: skip
        return (lead, ("may be seen: stays ", "muted"), (number(story.masked[key]), "attention"))
    if step == stories.SOFTMAX:
        if story.hidden(key):
            return (lead, (f"e^{MINUS}\u221e = 0: weight ", "muted"), ("0", "attention"))
        return (lead, *written(story.told(step, key)))
    if step == stories.WEIGH:
        strongest = int(np.argmax(np.abs(story.v[key])))
        return (
            lead,
            (number(weight), "attention"), (f" {TIMES} ", "muted"), ("v", "v"),
            (f", in dimension {strongest}: ", "muted"),
            *written(story.told(step, key, strongest), "text"),
        )  # fmt: skip
    if step > stories.OUTPUT and story.after is not None:
        return _last_line(story, story.after, step)
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
    return (*pieces, (f" + {number(max(0.0, rest))} of the others", "muted"))


def _last_line(story: Story, after: After, step: int) -> tuple[Piece, ...]:
    """Of the dimension that the head writes most to, and of the likeliest token."""
    if step == stories.PREDICT:
        name = quoted(piece_text(after.top.piece))
        return ((f"{name}  ", "text"), *written(story.told(step, after.top.token), "text", LAST))
    strongest = int(np.argmax(np.abs(after.written)))
    if step == stories.MIX and after.is_off:
        return (("this head is off: it writes ", "muted"), ("0", "attention"),
                (" to every dimension", "muted"))  # fmt: skip
    where: Piece = (f"dimension {strongest} of the stream  ", "text")
    role = "attention" if step == stories.MIX else "text"
    return (where, *written(story.told(step, strongest), role, LAST))


def cut_to(
    pieces: Sequence[Piece], width: float, advance: Callable[[str], float]
) -> Sequence[Piece]:
    """The pieces that fit, the last two of them always: sign and result."""
    if sum(advance(text) for text, _ in pieces) <= width:
        return pieces
    cut: Piece = ("\u2026", "muted")
    end = (cut, *pieces[-2:])
    room, kept = width - sum(advance(text) for text, _ in end), []
    for piece in pieces[:-2]:
        room -= advance(piece[0])
        if room < 0:
            break
        kept.append(piece)
    return (*kept, *end)
