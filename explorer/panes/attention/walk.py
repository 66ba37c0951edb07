"""The player's track: the steps of one query, or those of one query after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.panes.attention import story as stories
from explorer.panes.attention.model import Heads
from explorer.panes.attention.story import Story, number_of, story_of
from explorer.state.tracks import Track


class QueryTrack(Track):
    """Grows by the steps of each query that a walk reaches.

    each  how many steps a query has: those after the head's output need the model's weights
    """

    def __init__(
        self,
        trace: Any,
        heads: Heads,
        piece_of: Callable[[int], bytes] = number_of,
    ) -> None:
        self._heads, self._piece_of = heads, piece_of
        self.traces: list[Any] = [trace]
        self.stories: list[Story] = [story_of(trace, heads, piece_of)]
        self.each = len(trace)
        self.walking = False

    @property
    def length(self) -> int:
        return self.each * len(self.traces)

    @property
    def complete(self) -> bool:
        return not self.walking or self.next_query is None

    @property
    def next_query(self) -> int | None:
        """The query to ask for next; None at the end of the text."""
        following = self.stories[-1].query + 1
        return following if following < self._heads.n_tokens else None

    def extend(self, trace: Any) -> None:
        self.traces.append(trace)
        self.stories.append(story_of(trace, self._heads, self._piece_of))

    def cut_to(self, place: int) -> None:
        """Keeps the one query at `place`: the walk is over."""
        self.traces, self.stories = [self.traces[place]], [self.stories[place]]
        self.walking = False

    def at(self, position: float) -> tuple[int, float]:
        """Which query a position belongs to, and the position inside its steps."""
        place = min(int(position) // self.each, len(self.traces) - 1)
        return place, position - self.each * place

    def title(self, index: int) -> str:
        """The step's name, as the inspector says it."""
        return self.item(index).title

    def sentence(self, index: int) -> str:
        """The step as one sentence, with the tokens that it is about."""
        return stories.title(self.stories[index // self.each], index % self.each)

    def item(self, index: int) -> Any:
        return self.traces[index // self.each][index % self.each]
