"""Every sentence of Beams. Knows no Qt."""

from __future__ import annotations

from core.numbers import format_fixed
from explorer.widgets.beam_scene import BeamScene

BUTTONS = {
    "use": ("Append best", "Appends the text found; a click on a token appends the text up to it")
}
HEADLINES = {
    "score": "Each beam proposes its likeliest next tokens: log-probabilities add up along a text",
    "choose": "The likeliest of all these texts are candidates, whichever beam they come from",
    "prune": "As many texts go on as there are beams; the others are dropped",
    "finish": "Texts that have ended wait: the best of them wins",
}
APPENDED = "Append \u201c{}\u201d"
SPECIAL = {("length_penalty", 0.0): "off", ("beams", 1): "1: greedy"}


def headline(scene: BeamScene, step: int) -> str:
    """One sentence: what is seen at a step; at the last one what came of it."""
    if step < len(scene.moments) - 1:
        return HEADLINES[scene.moment(step)[1]]
    (found, mine, score), (greedy, other, its) = scene.texts
    if found == greedy:
        return "Looking further changes nothing here: greedy writing finds the same text"
    against = f"this text scores {format_fixed(score)}, the greedy one {format_fixed(its)}"
    if score < its:
        return f"Here the greedy text is better: {against}"
    if mine < other:
        return f"The length penalty decides, as the greedy text is likelier: {against}"
    return f"Looking further pays off: {against}"
