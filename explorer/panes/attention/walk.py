"""The player's track: one query's eight steps, or those of one query after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from explorer.panes.attention import story as stories
from explorer.panes.attention.story import Story, story_of
from explorer.state.tracks import Track

LENGTH = len(stories.STEPS)


class QueryTrack(Track):
    """Grows by eight steps with each query that a walk reaches."""

    def __init__(self, trace: Any, labels: Sequence[str], last: int) -> None:
        self.traces: list[Any] = [trace]
        self.stories: list[Story] = [story_of(trace, labels)]
        self.walking = False
        self._labels = labels
        self._last = last  # the last query that a walk goes to

    @property
    def length(self) -> int:
        return LENGTH * len(self.traces)

    @property
    def complete(self) -> bool:
        return not self.walking or self.next_query is None

    @property
    def next_query(self) -> int | None:
        """The query to ask for next; None at the end of the text."""
        following = self.stories[-1].query + 1
        return following if following <= self._last else None

    def extend(self, trace: Any) -> None:
        self.traces.append(trace)
        self.stories.append(story_of(trace, self._labels))

    def cut_to(self, place: int) -> None:
        """Keeps the one query at `place`: the walk is over."""
        self.traces, self.stories = [self.traces[place]], [self.stories[place]]
        self.walking = False

    def at(self, position: float) -> tuple[int, float]:
        """Which query a position belongs to, and the position inside its eight steps."""
        place = min(int(position) // LENGTH, len(self.traces) - 1)
        return place, position - LENGTH * place

    def title(self, index: int) -> str:
        """The step's name, as the inspector says it."""
        return self.item(index).title

    def sentence(self, index: int) -> str:
        """The step as one sentence, with the tokens that it is about."""
        return stories.title(self.stories[index // LENGTH], index % LENGTH)

    def item(self, index: int) -> Any:
        return self.traces[index // LENGTH][index % LENGTH]
