"""What Beams asks of core, on the engine's thread: a search, token by token. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.beams.draft import BeamsDraft

if TYPE_CHECKING:
    from core.inference.beam_search_trace import ComparedSearch


def search(
    model: Any, ids: Sequence[int], draft: BeamsDraft, tokenizer: Any
) -> Iterator[ComparedSearch]:
    """After the tokens of a text, and no deeper than the model's context."""
    from core.inference.beam_search import BeamSettings
    from core.inference.beam_search_trace import compared_search_steps

    depth = max(min(draft.depth, model.config.block_size - len(ids)), 1)
    settings = BeamSettings(
        max_new_tokens=depth,
        beams=draft.beams,
        stop=tuple(ends_of(tokenizer, draft.sentences)),
        length_penalty=draft.length_penalty,
    )
    return compared_search_steps(model, ids, settings)


def ends_of(tokenizer: Any, sentences: bool) -> list[int]:
    """The tokens that end a text."""
    marks = [tokenizer.encode_ids(mark, specials=False)[-1:] for mark in ".!?" if sentences]
    return sorted({*tokenizer.special_tokens.values(), *(one for mark in marks for one in mark)})
