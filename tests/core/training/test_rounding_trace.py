"""Which update a format loses, held against rounding one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.training.number_formats import FORMATS
from core.training.rounding_trace import lost_update, trace_rounded_sum


def test_an_update_is_lost_where_the_stored_weight_stays_as_it_was() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(0, 0.02, 500).astype(np.float32)
    updates = rng.normal(0, 2e-4, 500).astype(np.float32)
    found = lost_update(weights, updates, "bf16")
    assert found is not None
    stored, added = (torch.from_numpy(one).bfloat16() for one in (weights, updates))
    assert found.share == pytest.approx((stored + added == stored).float().mean().item())
    assert 0.05 < found.share < 0.95
    assert trace_rounded_sum(found.weight, found.update, "bf16").about["lost"]


def test_where_none_is_lost_it_is_the_smallest_and_zeros_are_left_out() -> None:
    weights, updates = np.float32([0.0, 1.0, 2.0, 1.0]), np.float32([1.0, 0.5, 0.5, 0.0])
    assert lost_update(weights, updates, "fp32") == (2.0, 0.5, 0.0)
    endless = np.float32([np.inf, np.nan, 2.0])
    assert lost_update(endless, np.float32([-np.inf, 1.0, 0.5]), "fp32") == (2.0, 0.5, 0.0)
    assert lost_update(np.zeros(3), np.ones(3), "bf16") is None
    assert lost_update(np.zeros(0), np.zeros(0), FORMATS["bf16"]) is None
    with pytest.raises(ValueError, match="unknown number format"):
        lost_update(weights, updates, "fp12")


def test_an_update_below_the_last_bit_of_its_weight_is_seen_to_be_lost() -> None:
    about = trace_rounded_sum(0.0213, 1.9e-5, "bf16").about
    shown = about["numbers"]
    assert [number.name for number in shown.numbers] == ["weight", "update", "exact sum", "stored"]
    weight, update, total, stored = shown.digits >= 0
    assert about["lost"] and shown.powers[weight][-1] == shown.last
    assert shown.powers[update][0] < shown.last - 1
    assert shown.powers[total][-1] == shown.powers[update][-1]
    np.testing.assert_array_equal(shown.digits[3][stored], shown.digits[0][weight])


@pytest.mark.parametrize(("weight", "update"), [(0.75, -1e-3), (60000.0, 60000.0)])
def test_each_number_is_known_from_its_own_step_on(weight: float, update: float) -> None:
    trace = trace_rounded_sum(weight, update, "fp16")
    names = [trace[number.step].name for number in trace.about["numbers"].numbers]
    assert names == ["number.weight", "number.update", "rounding.sum", "number.result"]
