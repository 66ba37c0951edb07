"""What Try asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.panes.finetuning.answers.draft import TryDraft

if TYPE_CHECKING:
    from core.finetuning.trial import Mixture, Written
    from core.finetuning.verdicts import Verdict

CURVE = np.linspace(0, 2, 21)  # the strengths of the curves


@dataclass(frozen=True, eq=False)
class NextTokens:
    """Probabilities (V,) of what comes after a text: for the base, and at a strength."""

    base: np.ndarray
    tuned: np.ndarray


def mixture_of(draft: TryDraft) -> Mixture:
    from core.finetuning.trial import Mixture

    return Mixture(draft.strength, draft.share if draft.other else None, draft.merged)


def lay_second(model: Any, folder: str) -> None:
    """A second adapter beside the one that the model has."""
    from core import load_adapter

    load_adapter(model, folder)


def written_steps(
    model: Any, ids: Sequence[int], draft: TryDraft, stop: Sequence[int]
) -> Iterator[Written]:
    """The text that is read, and then with each token that is written after it."""
    from core.finetuning.trial import write_mixed_steps
    from core.inference.sampling import Sampling

    asked = model, mixture_of(draft), ids, draft.tokens, Sampling(temperature=draft.temperature)
    return write_mixed_steps(*asked, seed=draft.seed, stop=stop)


def next_tokens(model: Any, ids: Sequence[int], draft: TryDraft) -> NextTokens:
    """What may come after a text."""
    from core.finetuning.trial import BASE, mixed_shares

    mixture = mixture_of(draft)
    base = replace(BASE, share=mixture.share)
    return NextTokens(*(mixed_shares(model, one, ids) for one in (base, mixture)))


def curve_steps(
    model: Any, ids: Sequence[int], draft: TryDraft
) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """Strength by strength, how likely some tokens are after a text."""
    from core.finetuning.trial import strength_curve_steps

    return strength_curve_steps(model, mixture_of(draft), ids, CURVE.tolist())


def check(model: Any, name: str, ids: Sequence[int], draft: TryDraft) -> Verdict:
    """Whether the adapter began as nothing ("identity"), or computes the same as a part of the
    matrices ("merge").
    """
    from core.finetuning.trial import check_adapter

    return check_adapter(model, name, mixture_of(draft), ids)


def save(address: str, draft: TryDraft, folder: str) -> None:
    """The adapter, as peft's two files."""
    from core.finetuning.trial import save_mixture

    save_mixture(address, mixture_of(draft), folder, draft.other)


def export(address: str, draft: TryDraft, folder: str) -> None:
    """The whole model, for transformers."""
    from core.finetuning.trial import export_mixture

    export_mixture(address, mixture_of(draft), folder, draft.other)


def changed_head(model: Any, ids: Sequence[int]) -> tuple[int, int]:
    """Layer and head whose attention the adapter moves most."""
    from core.finetuning.adapter import adapters_of
    from core.finetuning.analysis import attention_change

    if not (adapters := adapters_of(model)):
        return 0, 0
    by_head = attention_change(adapters[-1], ids).by_head
    layer, head = np.unravel_index(by_head.argmax(), by_head.shape)
    return int(layer), int(head)
