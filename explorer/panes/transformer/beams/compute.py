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
    """A search under way, and one with a single beam beside it, which writes greedily."""

    trees: Iterator[BeamTree]
    greedy_trees: Iterator[BeamTree]
    trace: Trace
    tree: BeamTree
    greedy: BeamTree


def begun(model: Any, ids: Sequence[int], draft: BeamsDraft, stop: Sequence[int]) -> Search:
    """A search after the tokens of a text; no deeper than the model's context."""
    import core
    from core.inference.beam_search import BeamTree
    from core.inference.beam_search_trace import trace_beam_search_steps

    depth = max(min(draft.depth, model.config.block_size - len(ids)), 1)
    trace, wide = core.Trace(), (depth, draft.beams, stop, draft.length_penalty)
    trees = trace_beam_search_steps(trace, model, ids, *wide)
    greedy = trace_beam_search_steps(core.Trace(), model, ids, depth, 1, stop, 0.0)
    return Search(trees, greedy, trace, BeamTree(), BeamTree())


def grown(model: Any, search: Search) -> bool:
    """One more token in every beam; False: the search has ended."""
    before, greedy_before = search.tree, search.greedy
    search.tree = next(search.trees, before)
    search.greedy = next(search.greedy_trees, greedy_before)
    return search.tree is not before or search.greedy is not greedy_before


def ends_of(tokenizer: Any, sentences: bool) -> list[int]:
    """The tokens that end a text."""
    marks = [tokenizer.encode_ids(mark, specials=False)[-1:] for mark in ".!?" if sentences]
    return sorted({*tokenizer.special_tokens.values(), *(one for mark in marks for one in mark)})
