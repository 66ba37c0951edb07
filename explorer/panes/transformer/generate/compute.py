"""What Generate asks of core: how a token is chosen from logits, on the engine's thread. No Qt."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from explorer.panes.transformer.generate.draft import ALL, GenerateDraft
from explorer.widgets.cache_scene import CacheScene

if TYPE_CHECKING:
    from core.trace import Trace
    from explorer.runs.text_read import Read

SHOWN = 20  # of the likeliest tokens


@dataclass(frozen=True, eq=False)
class Chosen:
    """How the token after a text is chosen.

    trace  its steps; the last two are the draw and the token that came, unless it stands in the
           text already
    token  that came
    shown  the ids of the likeliest tokens, before anything is cut; the one that came is last where
           it is none of them
    logits      (V,) that it was chosen from
    """

    trace: Trace
    token: int
    shown: tuple[int, ...]
    logits: np.ndarray
    perplexity: float = float("nan")  # of the whole text

    def surprise_of(self, token: int) -> float:
        """In nats, if that one came."""
        scores = self.logits.astype(np.float64)
        return float(np.logaddexp.reduce(scores) - scores[token])


def chosen(
    logits: np.ndarray,
    draft: GenerateDraft,
    ids: Sequence[int],
    surprises: np.ndarray,
    written: int,
    came: int = -1,
) -> Chosen:
    """The token after `ids`, from its logits (V,).

    surprises  (T,) nats, of the whole text
    written    how many tokens were drawn before it
    came       the one that came there; -1: the one that is drawn
    """
    import torch

    from core.inference.sampling import Sampling, draws
    from core.inference.sampling_trace import trace_next_token
    from core.inference.surprise import perplexity

    sampling = Sampling(
        temperature=draft.temperature,
        top_k=None if draft.top_k == ALL else draft.top_k,
        top_p=None if draft.top_p >= 1 else draft.top_p,
        min_p=draft.min_p or None,
        repetition_penalty=draft.repetition_penalty,
    )
    drawn = next(itertools.islice(draws(draft.seed), written, None)) if came < 0 else None
    trace = trace_next_token(torch.from_numpy(logits), sampling, ids, drawn)
    token = trace.about["token"] if came < 0 else came
    likeliest = trace.about["next"].probabilities.sort(descending=True, stable=True).indices[:SHOWN]
    shown = likeliest.tolist()
    shown = shown if token in shown else [*shown[:-1], token]
    return Chosen(trace, token, tuple(shown), logits, perplexity(surprises))


@dataclass(frozen=True, eq=False)
class Found:
    """A text that was read, and how the token at a place of it is chosen.

    surprises  (T,) nats, of all tokens of the text
    """

    read: Read
    ids: tuple[int, ...]
    surprises: np.ndarray
    place: int
    written: int
    came: int
    chosen: Chosen

    @property
    def cache(self) -> CacheScene | None:
        """What is kept of the text; None: nothing is."""
        return CacheScene(self.read.tokens, self.read.cache) if self.read.cache else None


def found(
    read: Read, draft: GenerateDraft, ids: Sequence[int], surprises: np.ndarray,
    place: int, written: int, came: int,
) -> Found:  # fmt: skip
    """The whole answer; `surprises` may be those of the first tokens alone."""
    missing = np.full(max(len(ids) - len(surprises), 0), np.nan)
    told = np.append(surprises[: len(ids)], missing)
    one = chosen(read.logits, draft, ids[:place], told, written, came)
    return Found(read, tuple(ids), told, place, written, came, one)


def chosen_again(last: Found, draft: GenerateDraft) -> Found:
    """The same text with other settings."""
    before = last.ids[: last.place]
    one = chosen(last.read.logits, draft, before, last.surprises, last.written, last.came)
    return replace(last, chosen=one)
