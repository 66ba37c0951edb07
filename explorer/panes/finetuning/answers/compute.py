"""Writes texts and files for Try, on the engine's thread. Does not import Qt."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.panes.finetuning.answers.draft import TryDraft

if TYPE_CHECKING:
    from core.finetuning.mixture import Mixture, Written

# The strengths of the curves; and those for a soft prompt, which works fully or not at all. The
# ends of the learned change come first, so that their favorites have the first colors.
CURVE = (1.0, 0.0, 2.0, *(round(0.1 * at, 1) for at in range(1, 20) if at != 10))
STEP = (2.0, 0.0, 0.5, float(np.nextafter(0.5, 1)))


def mixture_of(draft: TryDraft) -> Mixture:
    from core.finetuning.mixture import Mixture

    return Mixture(draft.strength, draft.share if draft.other else None, draft.merged)


def written_steps(
    model: Any, ids: Sequence[int], draft: TryDraft, stop: Sequence[int]
) -> Iterator[Written]:
    """Yields the text that is read, then the text with each token written after it."""
    from core.finetuning.mixture import write_mixed_steps
    from core.inference.sampling import Sampling

    asked = model, mixture_of(draft), ids, draft.tokens, Sampling(temperature=draft.temperature)
    return write_mixed_steps(*asked, seed=draft.seed, stop=stop)


def write_steps(name: str, address: str, draft: TryDraft, folder: str) -> Generator[Any, None, str]:
    """Writes the adapter, as peft's two files ("save"), or the whole model, for transformers
    ("export"). Returns the folder.
    """
    from core.finetuning.mixture_files import export_mixture_steps, save_mixture_steps

    steps = save_mixture_steps if name == "save" else export_mixture_steps
    yield from steps(address, mixture_of(draft), folder, draft.other)
    return folder
