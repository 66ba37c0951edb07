"""The life of a gradient under loss scaling, held against torch's own casts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from core.substitution import arithmetic
from core.training.gradient_trace import trace_scaled_gradient

GRADIENTS = [2.1e-8, -3.3e-6, 1.7e-4, 0.03, 1.5]


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("exponent", [0, 10, 16, 24])
@pytest.mark.parametrize(("name", "dtype"), [("fp16", torch.half), ("bf16", torch.bfloat16)])
def test_a_gradient_fares_as_torch_casts_it(
    gradient: float, exponent: int, name: str, dtype: torch.dtype
) -> None:
    scale = 2.0**exponent
    about = trace_scaled_gradient(gradient, 2.5, scale, name).about
    stored = (torch.tensor(gradient) * scale).to(dtype).float()
    assert about["stored"] == stored.item()
    assert about["unscaled"] == (stored / scale).item()
    assert about["gradient"] == np.float32(gradient)


def test_its_steps_are_told_by_what_becomes_of_it() -> None:
    def titles(gradient: float, scale: float) -> list[str]:
        trace = trace_scaled_gradient(gradient, 2.5, scale, "fp16")
        return [trace[at].title for at in trace.children()]

    small = titles(2.1e-8, 1.0)
    assert small[2] == "Stored in fp16: it is too small and becomes 0"
    assert small[4] == "Applied in fp32: the optimizer gets 0 instead of 2.1000e\u22128"
    assert titles(2.1e-8, 65536.0)[2].startswith(
        "Stored in fp16: it is rounded, with an error of <1"
    )
    large = titles(0.5, 2.0**24)
    assert large[2] == "Stored in fp16: it is too large and becomes infinite"
    assert large[4].startswith("Skipped: one gradient is infinite")
    assert "subnormal" in titles(1e-6, 1.0)[2]
    assert titles(0.5, 1.0)[2] == "Stored in fp16: it stays the same"


def test_where_others_are_infinite_it_is_not_applied_either() -> None:
    trace = trace_scaled_gradient(2.1e-8, 2.5, 2.0**30, "fp16", infinite=0.79)
    last = trace[trace.children()[-1]]
    assert math.isfinite(trace.about["stored"]) and last.code.endswith("#skip")
    assert last.title.startswith("Skipped: 79\u2009% of the gradients are infinite, so no weight")


def test_its_numbers_stand_bit_below_bit() -> None:
    trace = trace_scaled_gradient(4 / 3 * 2.0**-19, 2.5, 1024.0, "fp8 e4m3fn")
    shown = trace.about["numbers"]
    outer = [trace[at].name.removeprefix("gradient.") for at in trace.children()]
    assert [number.name for number in shown.numbers] == outer[:4]
    computed, scaled, stored, unscaled = shown.digits >= 0
    assert shown.powers[computed][0] == -19 and shown.powers[scaled][0] == -9
    assert shown.last == -9 == shown.powers[stored][-1]
    assert shown.powers[unscaled].tolist() == [-19]
    lost = trace_scaled_gradient(1e-12, 2.5, 1.0, "fp16").about["numbers"]
    assert lost.last == -24 and not (lost.digits[2] >= 0).any()
    endless = trace_scaled_gradient(0.5, 2.5, 2.0**24, "fp16").about["numbers"]
    assert endless.numbers[2].value == math.inf and not (endless.digits[2] >= 0).any()


def test_its_lines_are_written_with_their_numbers() -> None:
    trace = trace_scaled_gradient(3e-6, 2.5, 1024.0, "fp16")
    steps = {step.name: step for step in trace}
    assert arithmetic(steps["gradient.scaled"]).result == "2,560"
    assert trace[trace.children(2)[0]].name == "rounding.spacing"
    with pytest.raises(ValueError, match="unknown number format"):
        trace_scaled_gradient(math.pi, 1.0, 1.0, "fp12")
