"""What fine-tuning changed: how much of each matrix, in which directions, and in which heads.

    strengths(adapter)                    |dW| / |W| of every matrix that it changes
    spectrum_of(adapter, "h.0.attn.c_attn")   the directions of dW
    strengths_between(before, after)      the same for full fine-tuning or BitFit, from tensors
    attention_change(adapter, ids)        every head's attention without the adapter and with it

Matrices are analyzed at a scale of 1; the change of attention, at the adapter's current scale.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.files import quoted
from core.finetuning.adapter import Adapter
from core.finetuning.lora import Adapted, DoRA, LoRAEmbedding, LowRank
from core.finetuning.methods import Tuning
from core.finetuning.scales import at_scales
from core.finetuning.spectrum import (
    Spectrum,
    dense_spectrum,
    low_rank_spectrum,
    product_norm,
)
from core.inference.activations import capture
from core.inference.head_comparison import moved_attention
from core.jobs import to_the_end
from core.transformer.architectures import gpt_of
from core.transformer.precision import full_precision


@dataclass(frozen=True, slots=True)
class Strength:
    """How much a matrix, or some of its rows, changed.

    change, weight  |dW| and |W|: Frobenius norms, roots of the sums of squares
    """

    name: str
    change: float
    weight: float

    @property
    def ratio(self) -> float:
        """|dW| / |W|; infinite if W was 0, as biases are at first."""
        if self.weight == 0:
            return float("inf") if self.change else 0.0
        return self.change / self.weight


def update_of(adapter: Adapter, name: str) -> LowRank:
    """Returns the update of one matrix. Raises ValueError if the adapter does not change it."""
    if name not in adapter.updates:
        there = ", ".join(list(adapter.updates)[:8]) or "nothing: it was removed"
        raise ValueError(f"this adapter does not change {quoted(name)}; it changes {there}")
    return adapter.updates[name]


def weight_of(adapter: Adapter, name: str) -> Tensor:
    """Returns the frozen W (out, in) of one of the adapter's updates, without any merged change.

    Raises ValueError as `update_of`.
    """
    update = update_of(adapter, name)
    module = adapter.modules()[name]
    return module.rows_of(update, module.unmerged_weight).detach()


def delta_of(adapter: Adapter, name: str) -> Tensor:
    """Returns dW (out, in), in fp32, the change of the matrix. Raises ValueError as `update_of`."""
    with torch.no_grad():
        return update_of(adapter, name).delta(weight_of(adapter, name))


def spectrum_of(adapter: Adapter, name: str) -> Spectrum:
    """Returns the r directions of dW. DoRA also changes the lengths of W's rows, so its dW has full
    rank: its spectrum is that of the whole matrix, which takes longer.

    Raises ValueError as `update_of`.
    """
    update = update_of(adapter, name)
    if isinstance(update, DoRA):
        return dense_spectrum(delta_of(adapter, name))
    return low_rank_spectrum(update.A, update.B, update.scaling)


def strengths(adapter: Adapter) -> list[Strength]:
    """Returns how much an adapter changed each of its matrices, in the model's order."""
    modules = adapter.modules()
    return [strength_of(name, adapter.updates[name], module) for name, module in modules.items()]


@torch.no_grad()
def strength_of(name: str, update: LowRank, module: Adapted) -> Strength:
    """Returns how much one update changed its matrix."""
    weight = module.rows_of(update, module.unmerged_weight)
    if isinstance(update, DoRA):
        change = _norm(update.delta(weight))
    else:
        change = product_norm(update.A, update.B, update.scaling)
    return Strength(name, change, _norm(weight))


def most_changed(adapter: Adapter, strong: Sequence[Strength]) -> str:
    """Returns the name of the matrix that changed most; of an embedding, which cannot be traced,
    only if there is no other.
    """
    modules = adapter.modules()

    def order(one: Strength) -> tuple[bool, float]:
        return not isinstance(modules[one.name], LoRAEmbedding), one.ratio

    return max(strong, key=order).name


def strengths_between(
    before: Mapping[str, Tensor], after: Mapping[str, Tensor]
) -> Iterator[Strength]:
    """Yields how much each tensor changed that is in both: by full fine-tuning, tuning of the last
    layers or BitFit.

    Raises ValueError if a shape differs: then the tensors are not of one model.
    """
    for name in [name for name in before if name in after]:
        old, new = before[name].detach(), after[name].detach()
        if new.shape != old.shape:
            raise ValueError(
                f"{name} has shape {tuple(old.shape)} before and {tuple(new.shape)} after; give "
                "the tensors of one model"
            )
        change = full_precision(new) - full_precision(old)
        if change.any():
            yield Strength(name, _norm(change), _norm(old))


@dataclass(frozen=True, eq=False)
class AttentionChange:
    """Every head's attention on one text.

    before, after  (L, H, T, T)  without the adapter, and with it
    moved          (L, H, T)     share of each query's attention that moved elsewhere, 0 to 1
    """

    before: np.ndarray
    after: np.ndarray
    moved: np.ndarray

    @property
    def by_head(self) -> np.ndarray:
        """(L, H): the largest share that moved, over all queries."""
        return self.moved.max(axis=-1)


def attention_change(adapter: Adapter | Tuning, ids: Sequence[int] | np.ndarray) -> AttentionChange:
    """Returns how an adapter at its scale, or the change learned by another method, moves the
    attention of every head on a text, ids (T,).

    Raises ValueError as `core.capture`, and for an encoder-decoder.
    """
    return to_the_end(attention_change_steps(adapter, ids))


def attention_change_steps(
    adapter: Adapter | Tuning, ids: Sequence[int] | np.ndarray
) -> Generator[None, None, AttentionChange]:
    """Runs `attention_change` one pass of the model at a time."""
    model = gpt_of(adapter.model)
    after = capture(model, ids, ["attention"]).attention
    yield
    with at_scales({adapter: 0.0}):
        before = capture(model, ids, ["attention"]).attention
    yield
    assert before is not None and after is not None
    return AttentionChange(before, after, moved_attention(before, after))


def _norm(tensor: Tensor) -> float:
    return float(torch.linalg.vector_norm(full_precision(tensor.detach())))
