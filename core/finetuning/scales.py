"""Temporarily sets the learned change of a model to other scales, to compare outputs. The change is
that of an adapter, or of a `Tuning` by any method.

    for token in generate_at_scales_steps(model, {adapter: 0.5}, ids, 40): ...
    for token in generate_at_scales_steps(model, {first: 0.7, second: 0.3}, ids, 40): ...

Several texts can be written in turn, token by token, each at its own scales.
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
    """A learned change with a scale."""

    scale: float


@contextmanager
def at_scales(scales: Mapping[Scaled, float], *, merged: bool = False) -> Iterator[None]:
    """Sets adapters to these scales; restores their own afterwards.

    merged  also merges them into the model's matrices in the meantime

    Raises ValueError as `Adapter.merge`.
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
    """Merges an adapter into the model's matrices, or takes it out; restores its state afterwards.

    Raises ValueError as `Adapter.merge`.
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
    if adapter.scale != scale:  # the setter merges a merged adapter again
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
    """Runs `core.generate_steps` with adapters at these scales, and `merged` as in `at_scales`;
    others keep their scales.

    Between two tokens the model is unchanged. With the same seed, the text at scale 0 and at
    another scale differ only by the learned change. Raises ValueError as both, and for an adapter
    that was removed.
    """
    tokens = generate_steps(model, ids, max_new_tokens, sampling, seed=seed, stop=stop)
    while True:
        with at_scales(scales, merged=merged):
            token = next(tokens, None)
        if token is None:
            return
        yield token
