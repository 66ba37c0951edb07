"""What Try asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.panes.finetuning.answers.draft import TryDraft

if TYPE_CHECKING:
    from core.finetuning.trial import Mixture, NextTokens, Written
    from core.finetuning.verdicts import Verdict

# The strengths of the curves, and of those of what works all or not at all.
CURVE, STEP = np.linspace(0, 2, 21), np.array([0, 0.5, np.nextafter(0.5, 1), 2])


def mixture_of(draft: TryDraft) -> Mixture:
    from core.finetuning.trial import Mixture

    return Mixture(draft.strength, draft.share if draft.other else None, draft.merged)


def written_steps(
    model: Any, ids: Sequence[int], draft: TryDraft, stop: Sequence[int]
) -> Iterator[Written]:
    """The text that is read, and then with each token that is written after it."""
    from core.finetuning.trial import write_mixed_steps
    from core.inference.sampling import Sampling

    asked = model, mixture_of(draft), ids, draft.tokens, Sampling(temperature=draft.temperature)
    return write_mixed_steps(*asked, seed=draft.seed, stop=stop)


def next_tokens(model: Any, ids: Sequence[int], draft: TryDraft, where: bool) -> NextTokens:
    """What may come after a text, and, if asked, `where` the strength comes in."""
    from core.finetuning.trial import next_tokens

    return next_tokens(model, mixture_of(draft), ids, where)


def curve_steps(
    model: Any, ids: Sequence[int], draft: TryDraft, strengths: np.ndarray
) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """Strength by strength, how likely some tokens are after a text."""
    from core.finetuning.trial import strength_curve_steps

    return strength_curve_steps(model, mixture_of(draft), ids, strengths.tolist())


def is_all_or_nothing(model: Any) -> bool:
    """Whether there is nothing between strength 0 and 1."""
    from core.finetuning.trial import soft_prompt_of

    return bool(soft_prompt_of(model))


def check(model: Any, name: str, ids: Sequence[int], draft: TryDraft) -> Verdict:
    """Whether the adapter began as nothing ("identity"), or computes the same as a part of the
    matrices ("merge").
    """
    from core.finetuning.trial import check_adapter

    return check_adapter(model, name, mixture_of(draft), ids)


def held_out(model: Any, number: int) -> str:
    """A prompt that the model has not learned from."""
    from core.finetuning.trial import held_out_prompt

    return held_out_prompt(model, number)


def write_steps(name: str, address: str, draft: TryDraft, folder: str) -> Generator[Any, None, str]:
    """The adapter, as peft's two files ("save"), or the whole model, for transformers ("export").
    Returns the folder.
    """
    from core.finetuning.trial import export_mixture_steps, save_mixture_steps

    steps = save_mixture_steps if name == "save" else export_mixture_steps
    yield from steps(address, mixture_of(draft), folder, draft.other)
    return folder


def moved_head(model: Any, ids: Sequence[int]) -> tuple[int, int]:
    """Layer and head whose attention the adapter moves most."""
    from core.finetuning.trial import most_moved_head

    return most_moved_head(model, ids)
