"""What Generate asks of core: how a token is chosen from logits, on the engine's thread. No Qt."""

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
    """A text that was read, and how the token at a place of it is chosen.

    read       what comes before the place
    pieces     (T,) what the tokens of the whole text say
    surprises  (T,) of them, in nats; NaN: not known
    trace      its steps; they end before the draw where the token stands in the text already
    token      that came
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
    """`surprises` may be those of the last tokens alone; `written`: drawn before this one; `piece`:
    the bytes of a token.
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
