"""Chooses a token from logits on the engine's thread. Does not import Qt."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.panes.transformer.generate.draft import GenerateDraft
from explorer.panes.transformer.generate.scene import Scene, scene_of

if TYPE_CHECKING:
    from core.trace import Trace
    from explorer.runs.text_read import Read


@dataclass(frozen=True, eq=False)
class Choice:
    """How the token at one place of a text is chosen.

    read       the model's reading of the tokens before the place
    pieces     (T,) the bytes of all tokens of the text
    surprises  (T,) of these tokens, in nats; NaN if unknown
    trace      the steps; without a draw if the text already has a token there
    token      the chosen one
    """

    read: Read
    pieces: tuple[bytes, ...]
    surprises: np.ndarray
    perplexity: float
    place: int
    trace: Trace
    token: int
    scene: Scene


def choice(
    draft: GenerateDraft, read: Read, ids: Sequence[int], surprises: np.ndarray, place: int,
    written: int, piece: Callable[[int], bytes],
) -> Choice:  # fmt: skip
    """Traces the choice of the token at a place, the `written`-th drawn one. `surprises` are those
    of the text's last tokens; `piece` returns the bytes of a token.
    """
    import torch

    from core.inference.sampling import Sampling, draws
    from core.inference.sampling_trace import trace_next_token
    from core.inference.surprise import perplexity

    settings = asdict(draft)
    seed, _ = settings.pop("seed"), settings.pop("stop_at")
    came = ids[place] if place < len(ids) else None
    drawn = next(itertools.islice(draws(seed), written, None)) if came is None else None
    logits = torch.from_numpy(read.logits)
    trace = trace_next_token(logits, Sampling(**settings), ids[:place], drawn, came)
    told = np.pad(surprises, (len(ids) - len(surprises), 0), constant_values=np.nan)
    return Choice(
        *(read, tuple(map(piece, ids)), told, perplexity(told), place, trace),
        *(trace.about["token"], scene_of(trace, piece)),
    )
