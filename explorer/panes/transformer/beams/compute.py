"""Runs a beam search token by token on the engine's thread. Does not import Qt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.beams.draft import BeamsDraft

if TYPE_CHECKING:
    from core.inference.beam_search_trace import ComparedSearch


def search(
    model: Any, ids: Sequence[int], draft: BeamsDraft, tokenizer: Any
) -> Iterator[ComparedSearch]:
    """Searches for continuations of a text, at most as deep as the model's context allows."""
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
    """Returns the ids of the tokens that end a text."""
    marks = [tokenizer.encode_ids(mark, specials=False)[-1:] for mark in ".!?" if sentences]
    return sorted({*tokenizer.special_tokens.values(), *(one for mark in marks for one in mark)})
