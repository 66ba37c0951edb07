"""Every sentence of Beams. Knows no Qt."""

from __future__ import annotations

import math

from core.numbers import format_number
from explorer.widgets.beam_scene import BeamScene

NO_TEXT = "Type a text: the search begins after it"
LABELS = {"beams": "Beams", "depth": "Tokens", "length_penalty": "Length penalty"}
SENTENCES = "End with a sentence"
HELP = {
    "beams": "So many texts are kept side by side; one is greedy writing",
    "depth": "How far the search looks ahead",
    "length_penalty": "The more, the longer the text that wins; at 0 the likeliest one does",
    "sentences": "A text also ends with a full stop, a question mark or an exclamation mark",
}
USE = "Append"
USE_HELP = "Appends the text that was found to the prompt; a click on a token appends its text"
HEADLINES = {
    "score": "Each beam proposes its likeliest next tokens: log-probabilities add up along a text",
    "choose": "The likeliest of all these texts are candidates, whichever beam they come from",
    "prune": "As many texts go on as there are beams; the others are dropped",
    "finish": "Texts that have ended wait: the best of them wins",
}


def words_of(setting: str, value: float) -> str:
    """A setting's value, beside its slider."""
    if setting == "length_penalty":
        return f"{value:g}" if value else "off"
    return "1: greedy" if setting == "beams" and value == 1 else f"{value:.0f}"


def headline(scene: BeamScene, step: int) -> str:
    """One sentence: what is seen at a step; at the last one what came of it."""
    if step < len(scene.moments) - 1:
        return HEADLINES[scene.moment(step)[1]]
    (found, mine), (greedy, other) = scene.texts
    if found == greedy:
        return "Looking further changes nothing here: greedy writing finds the same text"
    if mine > other:
        times = format_number(math.exp(min(mine - other, 700)))
        return f"Looking further pays: this text is {times} times as likely as the greedy one"
    return "The length penalty prefers this text, though the greedy one is likelier"


def change(setting: str, value: float) -> str:
    """Of an undoable change."""
    if setting == "sentences":
        return SENTENCES if value else "Go on after a sentence"
    return f"{LABELS[setting]} {words_of(setting, value)}"


def appended(written: str) -> str:
    return f"Append \u201c{written.strip()[:24]}\u201d"
