"""What Try asks of core, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.panes.finetuning.answers.draft import TryDraft
from explorer.panes.finetuning.answers.text import NO_ADAPTER

if TYPE_CHECKING:
    from core.finetuning.adapter import Adapter
    from core.finetuning.verdicts import Verdict

CURVE = np.linspace(0, 2, 21)  # the strengths of the curves


@dataclass(frozen=True, eq=False)
class Written:
    """A text, as far as it is written; `surprises` (T,) of its tokens, in nats."""

    ids: Sequence[int]
    surprises: np.ndarray


@dataclass(frozen=True, eq=False)
class NextTokens:
    """Probabilities (V,) of what comes after a text: for the base, and at a strength."""

    base: np.ndarray
    tuned: np.ndarray


def adapter_of(model: Any) -> Adapter:
    """The newest one. Raises ValueError where there is none."""
    from core.finetuning.adapter import adapters_of

    if not (adapters := adapters_of(model)):
        raise ValueError(NO_ADAPTER)
    return adapters[-1]


def written_steps(
    model: Any, ids: Sequence[int], draft: TryDraft, stop: Sequence[int]
) -> Iterator[Written]:
    """The text that is read, and then with each token that is written after it."""
    from core.finetuning.scales import at_scales, generate_at_scales_steps
    from core.inference.sampling import Sampling
    from core.inference.surprise import surprise_of, surprises

    scales = {adapter_of(model): draft.strength}
    with at_scales(scales, merged=draft.merged):
        told = surprises(model, ids)
    yield Written(ids, told)
    asked = model, scales, ids, draft.tokens, Sampling(temperature=draft.temperature)
    more: dict[str, Any] = {"seed": draft.seed, "stop": stop, "merged": draft.merged}
    for step in generate_at_scales_steps(*asked, **more):
        told = np.append(told, surprise_of(step.logits, step.id))
        yield Written(step.ids.tolist(), told)


def next_tokens(model: Any, ids: Sequence[int], draft: TryDraft) -> NextTokens:
    """What may come after a text."""
    base = _shares(model, ids, 0.0)
    return NextTokens(base, _shares(model, ids, draft.strength, draft.merged))


def curve_steps(model: Any, ids: Sequence[int]) -> Iterator[tuple[list[int], np.ndarray]]:
    """Strength by strength, how likely some tokens are after a text: those that are the likeliest
    without what was learned, with it, and with twice as much.
    """
    found = [int(_shares(model, ids, strength).argmax()) for strength in (1.0, 0.0, 2.0)]
    tokens = list(dict.fromkeys(found))
    for strength in CURVE.tolist():
        yield tokens, _shares(model, ids, strength)[tokens]


def _shares(model: Any, ids: Sequence[int], strength: float, merged: bool = False) -> np.ndarray:
    """(V,) probabilities of what comes after a text."""
    from core.finetuning.scales import at_scales
    from core.inference.context import Context

    with at_scales({adapter_of(model): strength}, merged=merged):
        return Context(model).read(ids).softmax(-1).numpy()


def check(model: Any, name: str, ids: Sequence[int], strength: float) -> Verdict:
    """Whether the adapter began as nothing ("identity"), or computes the same as a part of the
    matrices ("merge").
    """
    from core.finetuning.scales import at_scales
    from core.finetuning.verdicts import check_identity, check_merge

    adapter = adapter_of(model)
    with at_scales({adapter: strength}):
        return (check_identity if name == "identity" else check_merge)(adapter, ids)
