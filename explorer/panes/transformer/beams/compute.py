"""What Beams asks of core, on the engine's thread: a search, token by token. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.beams.draft import BeamsDraft

if TYPE_CHECKING:
    from core.inference.beam_search import BeamTree
    from core.trace import Trace


@dataclass(eq=False)
class Search:
    """A search under way, and what is written greedily, with its log-probability."""

    trees: Iterator[BeamTree]
    trace: Trace
    greedy: tuple[Sequence[int], float]


def begun(model: Any, ids: Sequence[int], draft: BeamsDraft, stop: Sequence[int]) -> Search:
    """A search after the tokens of a text; no deeper than the model's context."""
    import core
    from core.inference.beam_search_trace import trace_beam_search_steps
    from core.inference.surprise import surprises

    trace, room = core.Trace(), model.config.block_size - len(ids)
    depth = max(min(draft.depth, room), 1)
    settings = {"beams": draft.beams, "stop": stop, "length_penalty": draft.length_penalty}
    trees = trace_beam_search_steps(trace, model, ids, max_new_tokens=depth, **settings)
    text = core.generate(model, ids, depth, temperature=0.0, stop=stop)
    greedy = text[len(ids) :], -float(surprises(model, text)[len(ids) :].sum())
    return Search(trees, trace, greedy)


def grown(model: Any, search: Search) -> BeamTree | None:
    """The tree with one more token in every beam; None: the search has ended."""
    return next(search.trees, None)


def ends_of(tokenizer: Any, sentences: bool) -> list[int]:
    """The tokens that end a text."""
    marks = [tokenizer.encode_ids(mark, specials=False)[-1:] for mark in ".!?" if sentences]
    return sorted({*tokenizer.special_tokens.values(), *(one for mark in marks for one in mark)})
