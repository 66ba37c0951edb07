"""Texts that begin alike, as a tree: where they part, it forks.

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
MOST_BACK = 500  # texts that can be gone back to


@dataclass(frozen=True)
class Branch:
    """Tokens in a row without a fork.

    text    the whole text, up to the last of them
    tokens  its own: they stand after the fork
    indent  how many forks lead to it
    """

    text: Text
    tokens: Text
    indent: int


class TextTree:
    """Where somebody writes, now and before: `here` is the text as it is. No other is forgotten.

    texts  none begins with another
    past   what `here` was before
    """

    def __init__(self) -> None:
        self.texts: list[Text] = []
        self.here: Text = ()
        self.past: list[Text] = []

    def go(self, text: Text) -> None:
        """This is the text now. It stands in place of one that it continues."""
        self.past = [*self.past[1 - MOST_BACK :], self.here]
        self.here = text
        if any(one[: len(text)] == text for one in self.texts):
            return  # one of them, or the beginning of one
        continued = [one for one in self.texts if text[: len(one)] == one]
        kept = [text if one in continued else one for one in self.texts]
        self.texts = kept if continued else [*kept, text]

    def back(self) -> None:
        """The text is what it was before."""
        if self.past:
            self.here = self.past.pop()

    def branches(self) -> list[Branch]:
        """All of them, each before those that fork from it; one ends `here`."""
        return branches(self.texts, self.here)


def branches(texts: Sequence[Text], here: Text = ()) -> list[Branch]:
    """All of them, each before those that fork from it, in the order of the texts. `here`, where
    it is one of them or its beginning, ends a branch, too.
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
    """What all have in common: what the smallest and the largest have."""
    smallest, largest = min(texts), max(texts)
    pairs = enumerate(zip(smallest, largest, strict=False))
    return smallest[: next((at for at, (a, b) in pairs if a != b), len(smallest))]


def _by_token(texts: Sequence[Text], place: int) -> list[list[Text]]:
    """Those that are longer, together with those that have the same token at this place."""
    groups: dict[int, list[Text]] = {}
    for text in texts:
        if len(text) > place:
            groups.setdefault(text[place], []).append(text)
    return list(groups.values())
