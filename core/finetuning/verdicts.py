"""Two tests of an adapter on a text: it starts without effect, and merging does not change the
output.

The logits of all tokens are compared. Afterwards the adapter and the model are restored to the last
bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.finetuning.adapter import Adapter
from core.finetuning.lora import DoRA
from core.finetuning.scales import at_scales, merged_as
from core.finetuning.wrapped_modules import restored
from core.inference.activations import check_ids, ids_tensor, looking_at
from core.transformer.architectures import Model
from core.transformer.encoder_decoder import EncoderDecoder

# Relative to the largest logit, if that is above 1. DoRA divides a row's length by itself, and
# merging adds in another order. In 16 bits a merged matrix is rounded once more.
DORA_TOLERANCE = 1e-6
MERGE_TOLERANCE = {torch.bfloat16: 0.05, torch.float16: 0.02}
FINE_MERGE_TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether two computations of a model's logits agree.

    difference  largest difference of two logits
    tolerance   largest difference allowed; 0: they must be identical
    compared    number of logits
    largest     the largest logit, at least 1; the tolerance is relative to it
    """

    difference: float
    tolerance: float
    compared: int
    largest: float = 1.0

    @property
    def holds(self) -> bool:
        """Whether they agree; False for a difference of NaN."""
        return self.difference <= self.tolerance


def check_identity(
    adapter: Adapter,
    ids: Sequence[int] | np.ndarray,
    target_ids: Sequence[int] | np.ndarray | None = None,
) -> Verdict:
    """Checks the step-0 identity: with B = 0, its initial value, an adapter at scale 1 changes no
    logit: LoRA and rsLoRA to the last bit, DoRA to 1e-6.

    ids         (T,) a text; for an encoder-decoder its source
    target_ids  and its target

    Raises ValueError for invalid ids, and for an adapter that was removed.
    """
    adapter.check_added()
    with merged_as(adapter, False):
        with at_scales({adapter: 0.0}):
            base = _logits(adapter.model, ids, target_ids)
        with at_scales({adapter: 1.0}), _as_it_began(adapter):
            begun = _logits(adapter.model, ids, target_ids)
    return _verdict(base, begun, DORA_TOLERANCE if adapter.config.dora else 0.0)


def check_merge(
    adapter: Adapter,
    ids: Sequence[int] | np.ndarray,
    target_ids: Sequence[int] | np.ndarray | None = None,
) -> Verdict:
    """Checks merge equality: at its scale, a merged adapter gives the same logits as an unmerged
    one, to 1e-5 of the largest one in fp32. `ids` as in `check_identity`.

    Raises ValueError for invalid ids, for an adapter that was removed, and if a matrix is
    quantized, which cannot be merged into.
    """
    adapter.check_added()
    with merged_as(adapter, False):
        beside = _logits(adapter.model, ids, target_ids)
        with merged_as(adapter, True):
            merged = _logits(adapter.model, ids, target_ids)
    dtype = next(iter(adapter.modules().values())).own_weight.dtype
    return _verdict(beside, merged, MERGE_TOLERANCE.get(dtype, FINE_MERGE_TOLERANCE))


@contextmanager
def _as_it_began(adapter: Adapter) -> Iterator[None]:
    """Temporarily sets B to 0, and DoRA's lengths to those of the matrix."""
    with restored(adapter.parameters()):
        with torch.no_grad():
            for name, module in adapter.modules().items():
                update = adapter.updates[name]
                update.B.zero_()
                if isinstance(update, DoRA):
                    update.measure(module.rows_of(update, module.unmerged_weight))
        yield


def _logits(
    model: Model,
    ids: Sequence[int] | np.ndarray,
    target_ids: Sequence[int] | np.ndarray | None,
) -> Tensor:
    with looking_at(model):
        if not isinstance(model, EncoderDecoder):
            return model(check_ids(model, ids))
        if target_ids is None:
            raise ValueError("an encoder-decoder reads a source and a target; give target_ids, too")
        device = model.lm_head.weight.device
        source = ids_tensor(ids, model.config.encoder, device)
        return model(source, ids_tensor(target_ids, model.config.decoder, device))


def _verdict(first: Tensor, second: Tensor, tolerance: float) -> Verdict:
    first, second = first.double(), second.double()
    largest = max(1.0, float(first.abs().max()))
    difference = float((first - second).abs().max())
    return Verdict(difference, tolerance * largest, first.numel(), largest)
