"""Fables: the app's own stories with a moral at the end, a kind of story new to the base.

    ... "Plabip ki ri!" they called together. And the pink kite began to shine like the sun.
    The moral: Two remember more than one.

Every plot has its moral. No words in a story name its plot: a model has to recognize what happened.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.data.questions import Question
from core.data.stories import tell

MORAL = "The moral:"
END = 700  # characters of a story at most: its last ones
MORALS: Mapping[str, str] = {
    "lost": "Ask for help, and you will find what you have lost.",
    "found": "What you find belongs to somebody who misses it.",
    "swaps": "The long way can lead to what you want.",
    "shared": "What two friends share, both of them have.",
    "stuck": "Where strength does not help, the right tool does.",
    "afraid": "Fear grows small when a friend is near.",
    "basket": "Many little gifts fill a basket.",
    "gift": "What breaks can be mended together.",
    "guests": "There is always room for one more.",
    "seed": "Good things take time.",
    "seek": "Look where nobody looks.",
    "race": "A friend is worth more than a prize.",
    "door": "Listen well, and doors will open.",
    "song": "An old song can bring you home.",
    "dragon": "The right words are stronger than strong arms.",
    "stranger": "Listen, and a stranger becomes a friend.",
    "forgetful": "Two remember more than one.",
}


def fable(seed: int) -> Question:
    """Returns the end of the story of this seed, from the start of a sentence, and its moral."""
    told = tell(seed)
    text = told.text
    if len(text) > END:
        text = text[-END:]
        text = text[text.index(". ") + 2 :]
    return Question(text, f"\n{MORAL} {MORALS[told.plot]}")
