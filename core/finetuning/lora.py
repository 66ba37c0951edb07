"""LoRA: a matrix stays frozen, and a low-rank update added to it learns.

A matrix W (out, in) of a trained model is frozen. Its change for a new task is a product of two
thin matrices, s B A, with A (r, in) and B (out, r): r (in + out) numbers learn instead of in x out.
B starts at 0, so the model at first computes what it did before.

Letters in shapes: in, out: input and output width of a matrix; r: rank; V: vocabulary size.

Sources: LoRA (Hu et al. 2021, section 4.1); rank-stabilized LoRA (Kalajdzievski 2023, section 3);
DoRA (Liu et al. 2024, section 4.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.finetuning.lora_config import LoRAConfig
from core.finetuning.numerical_safety import without_rounding
from core.transformer.precision import full_precision


class LowRankOutput(NamedTuple):
    """A x (..., r), B A x and s B A x (..., out)."""

    reduced: Tensor
    expanded: Tensor
    change: Tensor


def low_rank_output(x: Tensor, A: Tensor, B: Tensor, s: float) -> LowRankOutput:
    """Computes the change that is added to W x: x (..., in), A (r, in), B (out, r)."""
    reduced = x @ A.mT  # (..., r)  # step: reduce
    expanded = reduced @ B.mT  # (..., out)  # step: expand
    change = s * expanded  # step: scale
    return LowRankOutput(reduced, expanded, change)


class LowRankMatrix(NamedTuple):
    """B A and s B A, (out, in)."""

    product: Tensor
    delta: Tensor


def low_rank_matrix(A: Tensor, B: Tensor, s: float) -> LowRankMatrix:
    """Computes the change that is added to W: A (r, in), B (out, r)."""
    product = B @ A  # (out, in)  # step: product
    delta = s * product  # step: delta
    return LowRankMatrix(product, delta)


def add_change(output: Tensor, change: Tensor) -> Tensor:
    """Adds an adapter's change to the output of its matrix, (..., out) each."""
    adapted = output + change  # (..., out)  # step: add
    return adapted


class LowRank(nn.Module):
    """An adapter's update of a matrix, or of some of its rows: s B A x.

    Its numbers are fp32 with a matrix of any dtype: small steps would be lost in 16 bits.

    A, B     (r, in) and (out, r)
    scaling  s
    scale    factor of the update: 0 adds nothing, 1 the learned change
    first    first output row that it changes
    merged   whether it is merged into the matrix, and so not added to the output
    adapter  the Adapter that it belongs to
    """

    def __init__(
        self, d_in: int, d_out: int, config: LoRAConfig, first: int, device: torch.device
    ) -> None:
        super().__init__()
        self.A = nn.Parameter(torch.empty(config.r, d_in, device=device))
        self.B = nn.Parameter(torch.zeros(d_out, config.r, device=device))
        self.scaling = config.scaling
        self.dropout = nn.Dropout(config.dropout)
        self.first = first
        self.scale = 1.0
        self.merged = False
        self.adapter: object = None

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> LowRank:
        """Moves its numbers, which stay fp32 when `model.half()` rounds the model's."""
        super()._apply(without_rounding(fn), recurse)
        return self

    @property
    def r(self) -> int:
        """The rank."""
        return self.A.size(0)

    @property
    def rows(self) -> slice:
        """The output rows that it changes."""
        return slice(self.first, self.first + self.B.size(0))

    @torch.no_grad()
    def initialize(self, generator: torch.Generator | None = None) -> None:
        """Draws A from U(-1/sqrt(in), 1/sqrt(in)), as `nn.Linear` and peft do; sets B = 0."""
        bound = 1 / math.sqrt(self.A.size(1))
        drawn = torch.empty(self.A.shape).uniform_(-bound, bound, generator=generator)
        self.A.copy_(drawn)
        self.B.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Returns the change of the output: x (..., in) -> (..., out), in fp32."""
        return self.change(x, self.scale * self.scaling)

    def change(self, x: Tensor, s: float) -> Tensor:
        """Returns s B A x, (..., out), in fp32."""
        return low_rank_output(full_precision(self.dropout(x)), self.A, self.B, s).change

    def delta(self, weight: Tensor) -> Tensor:
        """Returns the change of the matrix, (out, in), in fp32, at scale 1."""
        return low_rank_matrix(self.A, self.B, self.scaling).delta


class DoRA(LowRank):
    """Learns the length and the direction of each row of W separately: m (W + s B A) / |W + s B A|.

    m (out,) starts as the lengths of W's rows and learns; LoRA learns the direction. Backward
    treats the divisor as a constant, which saves memory (section 4.3).
    """

    def __init__(
        self, d_in: int, d_out: int, config: LoRAConfig, first: int, device: torch.device
    ) -> None:
        super().__init__(d_in, d_out, config, first, device)
        self.magnitude = nn.Parameter(torch.ones(d_out, device=device))

    @torch.no_grad()
    def measure(self, weight: Tensor) -> None:
        """Sets the magnitudes to the lengths of W's rows: with B = 0 the model is unchanged."""
        self.magnitude.copy_(full_precision(weight).norm(dim=1))

    def length(self, weight: Tensor) -> Tensor:
        """Returns |W + s B A| of each row: (out,). A constant in backward."""
        direction = full_precision(weight).detach() + super().delta(weight)  # (out, in)
        return direction.norm(dim=1).detach()

    def gain(self, weight: Tensor) -> Tensor:
        """Divides the learned length of each row by its current one, m / |W + s B A|: (out,)."""
        m, length = self.magnitude, self.length(weight)
        gain = m / length  # step: gain
        return gain

    def total_change(self, x: Tensor, product: Tensor, weight: Tensor) -> Tensor:
        """Computes the change in direction and length: x (..., in) -> (..., out), in fp32, where
        product = W x without a bias and weight = W.
        """
        added, gain, scale = self.change(x, self.scaling), self.gain(weight), self.scale
        product = full_precision(product)
        change = scale * ((gain - 1) * product + gain * added)  # step: dora
        return change

    def delta(self, weight: Tensor) -> Tensor:
        """Returns the change of the matrix, (out, in), in fp32, at scale 1."""
        added, gain = super().delta(weight), self.gain(weight)[:, None]
        return dora_delta(gain, full_precision(weight), added)


def dora_delta(gain: Tensor, weight: Tensor, added: Tensor) -> Tensor:
    """Computes DoRA's change of W (out, in): added is s B A, gain (out, 1) m / |W + s B A|."""
    delta = (gain - 1) * weight + gain * added  # (out, in)  # step: delta
    return delta


class Adapted(nn.Module):
    """A matrix with the updates of its adapters.

    base      the module that it replaces: frozen
    updates   of each adapter, and of each part of the matrix that one changes
    original  the matrix before merging; None if nothing is merged
    """

    base: nn.Module
    updates: nn.ModuleList

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.base = base
        self.updates = nn.ModuleList()
        self.original: Tensor | None = None

    def add(self, config: LoRAConfig, first: int, rows: int | None) -> LowRank:
        """Adds an update of `rows` rows starting at `first` (None: all rows), A uninitialized."""
        last = None if rows is None else first + rows
        weight = self.as_matrix(self.unmerged_weight)[first:last]
        kind = DoRA if config.dora else LowRank
        update = kind(weight.size(1), weight.size(0), config, first, weight.device)
        if isinstance(update, DoRA):
            update.measure(weight)
        update.train(self.training)
        self.updates.append(update)
        return update

    @torch.no_grad()
    def drop(self, update: LowRank) -> None:
        """Removes an update. A merged one stays in the matrix for good: for the other merged
        updates, the matrix that includes it becomes the original.
        """
        if update.merged:
            others = [one for one in self._all if one.merged and one is not update]
            self.original = self._sum([update], self.unmerged_weight) if others else None
        self.updates = nn.ModuleList(one for one in self.updates if one is not update)

    @property
    def active(self) -> list[LowRank]:
        """The updates that are added to the output."""
        return [one for one in self._all if one.scale != 0 and not one.merged]

    @property
    def _all(self) -> list[LowRank]:
        return [one for one in self.updates if isinstance(one, LowRank)]

    @property
    def weight(self) -> Tensor:
        """The matrix as used: W plus all its updates, in W's dtype."""
        return self._sum(self.active, self.own_weight)

    @property
    def own_weight(self) -> Tensor:
        """The base's matrix, including merged updates."""
        return self.base.weight  # type: ignore[return-value]

    @property
    def unmerged_weight(self) -> Tensor:
        """The base's matrix before any merge."""
        return self.own_weight if self.original is None else self.original

    def as_matrix(self, weight: Tensor) -> Tensor:
        """Returns a view of the base's weight, in the shape that multiplies: (out, in)."""
        return weight

    def rows_of(self, update: LowRank, weight: Tensor) -> Tensor:
        """Returns a view of the rows (out, in) that an update changes."""
        return self.as_matrix(weight)[update.rows]

    def merge(self) -> None:
        """Adds the updates marked as merged to the matrix, in fp32; if none is, restores the matrix
        from its copy, to the last bit.
        """
        merged = [one for one in self._all if one.merged]
        if not merged and self.original is None:
            return
        with torch.no_grad():
            if self.original is None:
                self.original = self.own_weight.detach().clone()
            self.own_weight.copy_(self._sum(merged, self.original))
        if not merged:
            self.original = None

    def _sum(self, updates: list[LowRank], weight: Tensor) -> Tensor:
        if not updates:
            return weight
        total = full_precision(weight).clone()
        reference = self.unmerged_weight
        for one in updates:
            rows = self.rows_of(one, total)
            rows += one.scale * one.delta(self.rows_of(one, reference))
        return total.to(weight.dtype)


class LoRALinear(Adapted):
    """W x + b, plus the updates of its adapters."""

    base: nn.Linear

    @property
    def bias(self) -> Tensor | None:
        """The base's bias."""
        return self.base.bias

    @property
    def in_features(self) -> int:
        return self.base.in_features

    @property
    def out_features(self) -> int:
        return self.base.out_features

    def forward(self, x: Tensor) -> Tensor:
        """Returns the adapted output: x (..., in) -> (..., out)."""
        plain = self.base(x)
        output = plain
        for update in self.active:
            change = self.change(update, x, plain)
            if change.size(-1) != output.size(-1):
                rest = output.size(-1) - update.first - change.size(-1)
                change = F.pad(change, (update.first, rest))
            output = add_change(output, change.to(output.dtype))
        return output

    def change(self, update: LowRank, x: Tensor, plain: Tensor) -> Tensor:
        """Returns the change of an update's rows in fp32: x (..., in), plain (..., out) W x + b."""
        if not isinstance(update, DoRA):
            return update(x)
        if self.original is not None:
            plain = F.linear(x, self.original, self.bias)  # without the merged updates of others
        product = plain if self.bias is None else plain - self.bias
        weight = self.rows_of(update, self.unmerged_weight)
        return update.total_change(x, product[..., update.rows], weight)


class LoRAEmbedding(Adapted):
    """A table with a row for each token, plus adapter updates: s B A, A (r, V), B (C, r).

    As in peft, the matrix is the transposed table, which multiplies one-hot tokens; dropout is not
    applied.
    """

    base: nn.Embedding

    @property
    def num_embeddings(self) -> int:
        return self.base.num_embeddings

    def as_matrix(self, weight: Tensor) -> Tensor:
        """Returns a view of the table (V, C) as the matrix for one-hot tokens, (C, V)."""
        return weight.mT

    def forward(self, ids: Tensor) -> Tensor:
        """Returns the adapted embeddings: ids (...) -> (..., C)."""
        output = self.base(ids)
        for update in self.active:
            reduced = F.embedding(ids, update.A.mT)  # (..., r)
            expanded = reduced @ update.B.mT  # (..., C)
            change = update.scaling * expanded
            if isinstance(update, DoRA):
                weight = self.unmerged_weight
                gain = update.gain(self.as_matrix(weight))  # (C,)
                plain = full_precision(F.embedding(ids, weight))  # (..., C)
                change = dora_delta(gain, plain, change)
            output = output + (update.scale * change).to(output.dtype)
        return output
