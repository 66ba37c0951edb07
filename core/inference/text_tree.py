"""A tree of texts with common beginnings: it forks where they diverge.

    Once upon a time             Once upon a
    Once upon a hill      ->         time
    Once there was                   hill
                                 Once there was

A text is a tuple of tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Text = tuple[int, ...]
MOST_BACK = 500  # texts in the history


@dataclass(frozen=True)
class Branch:
    """A sequence of tokens without a fork.

    text    the whole text, up to the last of them
    tokens  its own, after the fork
    indent  number of forks before it
    """

    text: Text
    tokens: Text
    indent: int


class TextTree:
    """The history of a text while the user edits it: `here` is the current text, and none is lost.

    texts  none is the beginning of another
    past   previous values of `here`
    """

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self.here: Text = ()
        self.past: list[Text] = []

    def go(self, text: Text) -> None:
        """Makes this the current text. It replaces a text that it continues."""
        self.past = [*self.past[1 - MOST_BACK :], self.here]
        self.here = text
        if any(one[: len(text)] == text for one in self.texts):
            return  # a text that exists, or the beginning of one
        continued = [one for one in self.texts if text[: len(one)] == one]
        kept = [text if one in continued else one for one in self.texts]
        self.texts = kept if continued else [*kept, text]

    def back(self) -> None:
        """Goes back to the previous text."""
        if self.past:
            self.here = self.past.pop()

    def branches(self) -> list[Branch]:
        """Returns all branches, each before those that fork from it; one ends `here`."""
        return branches(self.texts, self.here)


def branches(texts: Sequence[Text], here: Text = ()) -> list[Branch]:
    """Returns all branches, each before those that fork from it, in the order of the texts. `here`
    also ends a branch, if it is one of the texts or the beginning of one.
    """
    found: list[Branch] = []
    waiting = [(group, 0, 0) for group in reversed(_by_token(texts, 0))]
    while waiting:
        group, start, indent = waiting.pop()
        shared = _beginning(group)
        if start < len(here) and shared[: len(here)] == here:
            shared = here
        found.append(Branch(shared, shared[start:], indent))
        forks = _by_token(group, len(shared))
        waiting += [(fork, len(shared), indent + 1) for fork in reversed(forks)]
    return found


def _beginning(texts: Sequence[Text]) -> Text:
    """Returns the common beginning of all texts: that of the smallest and the largest."""
    smallest, largest = min(texts), max(texts)
    pairs = enumerate(zip(smallest, largest, strict=False))
    return smallest[: next((at for at, (a, b) in pairs if a != b), len(smallest))]


def _by_token(texts: Sequence[Text], place: int) -> list[list[Text]]:
    """Groups the longer texts by their token at this place."""
    groups: dict[int, list[Text]] = {}
    for text in texts:
        if len(text) > place:
            groups.setdefault(text[place], []).append(text)
    return list(groups.values())
