"""What Generate asks of core: how a token is chosen from logits, on the engine's thread. No Qt."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.panes.transformer.generate.draft import GenerateDraft

if TYPE_CHECKING:
    from core.trace import Trace
    from explorer.runs.text_read import Read

SHOWN = 16  # of the likeliest tokens


@dataclass(frozen=True, eq=False)
class Choice:
    """A text that was read, and how the token at a place of it is chosen.

    read        what comes before the place
    ids         of the whole text
    surprises   (T,) nats, of its tokens; NaN: not known
    trace       its steps; they end before the draw where the token stands in the text already
    token       that came
    shown       the likeliest ones before the cuts; the one that came is last where it is none of
                them
    """

    read: Read
    ids: tuple[int, ...]
    surprises: np.ndarray
    place: int
    trace: Trace
    token: int
    shown: tuple[int, ...]
    perplexity: float


def choice(
    draft: GenerateDraft, read: Read, ids: Sequence[int], surprises: np.ndarray, place: int,
    written: int,
) -> Choice:  # fmt: skip
    """`surprises` may be those of the last tokens alone; `written`: drawn before this one."""
    import torch

    from core.inference.sampling import Sampling, draws
    from core.inference.sampling_trace import trace_next_token
    from core.inference.surprise import perplexity

    settings = asdict(draft)
    seed = settings.pop("seed")
    is_new = place >= len(ids)
    drawn = next(itertools.islice(draws(seed), written, None)) if is_new else None
    trace = trace_next_token(
        torch.from_numpy(read.logits), Sampling(**settings), ids[:place], drawn
    )
    token = trace.about["token"] if is_new else ids[place]
    # By their scores: at temperature 0 all but one have the same probability.
    scores = trace.about["next"].penalized
    shown = scores.sort(descending=True, stable=True).indices[:SHOWN].tolist()
    shown = shown if token in shown else [*shown[:-1], token]
    told = np.pad(surprises, (len(ids) - len(surprises), 0), constant_values=np.nan)
    return Choice(
        *(read, tuple(ids), told, place, trace, token, tuple(shown)),
        perplexity(told),
    )
