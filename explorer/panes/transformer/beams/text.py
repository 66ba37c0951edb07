"""The texts of Beams. Does not import Qt."""

from __future__ import annotations

from core.numbers import format_fixed
from explorer.widgets.beam_scene import BeamScene

BUTTONS = {
    "use": (
        "Append best text",
        "Appends the best text to the prompt; click a token to append only the text up to it",
    )
}
HEADLINES = {
    "score": "Each beam, a text in progress, proposes next tokens; their log-probabilities add up",
    "choose": "The likeliest texts become candidates, whichever beam they continue",
    "prune": "The likeliest unfinished texts become the next beams; the others are dropped",
    "finish": "Finished texts are set aside; in the end, the one with the best score wins",
}
SEARCHING = "searching"
FOUND = "The text found was finished earlier, at token {}; this is its calculation"
APPENDED = "Append \u201c{}\u201d"
SPECIAL = {("length_penalty", 0.0): "off", ("beams", 1): "1: greedy"}


def headline(scene: BeamScene, step: int) -> str:
    """Returns one sentence about a step; at the last step, about the result."""
    if step < len(scene.moments) - 1:
        return HEADLINES[scene.moment(step)[1]]
    (found, mine, score), (greedy, other, its) = scene.texts
    if found == greedy:
        return "Beam search finds the same text as greedy decoding"
    against = f"its score is {format_fixed(score)}, against {format_fixed(its)} for the greedy text"
    if score < its:
        return f"Beam search finds a worse text: {against}"
    if mine < other:
        return f"Beam search finds a less likely text that wins by its length: {against}"
    return f"Beam search finds a better text: {against}"
