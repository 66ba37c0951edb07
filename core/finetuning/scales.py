"""Sets what a model has learned to other scales for a moment, to compare what it writes or
computes. What was learned is an adapter, or a `Tuning` of any method.

    for token in generate_at_scales_steps(model, {adapter: 0.5}, ids, 40): ...
    for token in generate_at_scales_steps(model, {first: 0.7, second: 0.3}, ids, 40): ...

Several texts can be written at once, token by token in turn, each at scales of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Protocol

import numpy as np

from core.finetuning.adapter import Adapter
from core.inference.generation import TokenStep, generate_steps
from core.inference.sampling import Sampling
from core.transformer.gpt import GPT


class Scaled(Protocol):
    """What was learned, of which more or less can be added."""

    scale: float


@contextmanager
def at_scales(scales: Mapping[Scaled, float], *, merged: bool = False) -> Iterator[None]:
    """Sets adapters to these scales; afterwards they have their own again.

    merged  also merges them into the model's matrices meanwhile

    Raises ValueError as `Adapter.merge` does.
    """
    before = {adapter: adapter.scale for adapter in scales}
    try:
        for adapter, scale in scales.items():
            _set(adapter, scale)
        with ExitStack() as stack:
            for one in scales if merged else ():
                if isinstance(one, Adapter):
                    stack.enter_context(merged_as(one, True))
            yield
    finally:
        for adapter, scale in before.items():
            _set(adapter, scale)


@contextmanager
def merged_as(adapter: Adapter, merged: bool) -> Iterator[None]:
    """Merges an adapter into the model's matrices, or takes it out; afterwards it is as it was.

    Raises ValueError as `Adapter.merge` does.
    """
    before = adapter.is_merged
    _merge(adapter, merged)
    try:
        yield
    finally:
        _merge(adapter, before)


def _merge(adapter: Adapter, merged: bool) -> None:
    if adapter.is_merged != merged:
        (adapter.merge if merged else adapter.unmerge)()


def _set(adapter: Scaled, scale: float) -> None:
    if adapter.scale != scale:  # a merged one is merged again
        adapter.scale = scale


def generate_at_scales_steps(
    model: GPT,
    scales: Mapping[Scaled, float],
    ids: Sequence[int] | np.ndarray,
    max_new_tokens: int,
    sampling: Sampling | None = None,
    *,
    seed: int = 0,
    stop: int | Collection[int] | None = None,
    merged: bool = False,
) -> Iterator[TokenStep]:
    """`core.generate_steps` with adapters at these scales, and `merged` as for `at_scales`; those
    not named stay as they are.

    Between two tokens the model is as it was. With one seed and scale 0 beside another scale, two
    texts differ by what was learned alone. Raises ValueError as both, and for an adapter
    that was removed.
    """
    tokens = generate_steps(model, ids, max_new_tokens, sampling, seed=seed, stop=stop)
    while True:
        with at_scales(scales, merged=merged):
            token = next(tokens, None)
        if token is None:
            return
        yield token
