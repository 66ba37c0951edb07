"""LossScaler: step for step what torch's GradScaler does, and a floor that torch's lacks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from core.training.parallel import Single
from core.training.precision import build_scaler
from core.training.scaler import LARGEST, LossScaler
from tests.core.training.small import small_config


def test_it_scales_and_skips_as_the_scaler_of_torch_does() -> None:
    """5,000 steps with overflows at random: the same gradients, scales and skips."""
    rng = np.random.default_rng(0)
    parameters = [torch.zeros(3, requires_grad=True), torch.zeros(2, 2, requires_grad=True)]
    optimizer = torch.optim.SGD(parameters, lr=0.0)
    theirs = torch.amp.GradScaler("cpu", init_scale=2.0**60, growth_interval=20)
    ours = LossScaler(2.0**60, growth_interval=20)
    skips = 0
    for step in range(5000):
        loss = torch.tensor(float(rng.normal()))
        assert torch.equal(theirs.scale(loss), ours.scale(loss))
        gradients = [torch.from_numpy(rng.normal(size=p.shape)).float() for p in parameters]
        if rng.random() < 0.04:
            overflow = (torch.inf, -torch.inf, torch.nan)[step % 3]
            gradients[step % 2].view(-1)[step % 3] = overflow
        mine = [gradient * ours.loss_scale for gradient in gradients]
        for parameter, gradient in zip(parameters, mine, strict=True):
            parameter.grad = gradient.clone()
        theirs.unscale_(optimizer)
        theirs.step(optimizer)
        theirs.update()
        applied = ours.unscale(mine)
        for parameter, gradient in zip(parameters, mine, strict=True):
            torch.testing.assert_close(gradient, parameter.grad, rtol=0, atol=0, equal_nan=True)
        assert applied == all(bool(gradient.isfinite().all()) for gradient in gradients)
        ours.stepped(applied)
        skips += not applied
        assert ours.loss_scale == theirs.get_scale() > 1, step
    assert 150 < skips < 250


def test_its_defaults_are_those_of_torch() -> None:
    theirs, ours = torch.amp.GradScaler("cpu"), LossScaler()
    assert ours.loss_scale == theirs.get_scale() == 65536
    assert ours.growth_factor == theirs.get_growth_factor()
    assert ours.backoff_factor == theirs.get_backoff_factor()
    assert ours.growth_interval == theirs.get_growth_interval()


def test_it_grows_no_further_than_fp32_reaches() -> None:
    scaler = LossScaler(2.0**126, growth_interval=1)
    for _ in range(5):
        scaler.stepped(True)
    assert scaler.loss_scale == 2.0**127 < LARGEST


def test_it_goes_on_from_what_it_remembered() -> None:
    told = [True, True, False, True, True, True, False, False, False, False, True] * 3
    for at in range(len(told)):
        whole, first = (LossScaler(8.0, growth_interval=3) for _ in range(2))
        for applied in told:
            whole.stepped(applied)
        for applied in told[:at]:
            first.stepped(applied)
        second = LossScaler(4.0, growth_interval=3)
        second.restore(first.state())
        for applied in told[at:]:
            second.stepped(applied)
        assert second.state() == whole.state()


def test_a_run_that_did_not_scale_its_loss_leaves_the_scale_as_it_is() -> None:
    scaler = LossScaler(8.0)
    scaler.restore({})
    assert scaler.loss_scale == 8.0


@pytest.mark.parametrize(
    "state",
    [
        {"loss_scale": 8.0},
        {"loss_scale": 0.0, "good_steps": 0.0, "floor_skips": 0.0},
        {"loss_scale": float("nan"), "good_steps": 0.0, "floor_skips": 0.0},
        {"loss_scale": 8.0, "good_steps": float("inf"), "floor_skips": 0.0},
        {"scale": 8.0, "good_steps": 0.0, "floor_skips": 0.0},
    ],
    ids=str,
)
def test_a_state_that_cannot_be_is_refused(state: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="go on from another checkpoint"):
        LossScaler().restore(state)


@pytest.mark.parametrize(
    "wrong",
    [
        {"loss_scale": 0.5},
        {"loss_scale": float("inf")},
        {"loss_scale": float("nan")},
        {"growth_factor": 0.5},
        {"backoff_factor": 1.0},
        {"growth_interval": 0},
    ],
    ids=str,
)
def test_numbers_that_cannot_be_are_refused_with_the_usual_ones(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"65536 is usual|2, 2000 and 0\.5 are usual"):
        LossScaler(**wrong)  # type: ignore[arg-type]


def test_no_gradient_at_all_is_finite() -> None:
    assert LossScaler().unscale([])


# -- in a strategy


class Parameter:
    """What an optimizer holds, as far as a strategy looks at it."""

    def __init__(self, *gradients: torch.Tensor) -> None:
        self.param_groups = [{"params": [_with(g) for g in gradients] + [torch.zeros(1)]}]


def _with(gradient: torch.Tensor) -> torch.Tensor:
    parameter = torch.zeros_like(gradient, requires_grad=True)
    parameter.grad = gradient
    return parameter


def test_a_strategy_without_a_scaler_leaves_loss_and_gradients_alone() -> None:
    single, gradient = Single(), torch.tensor([4.0, torch.inf])
    loss = torch.tensor(3.0)
    assert not single.scales and single.scale(loss) is loss
    assert single.unscale(Parameter(gradient)) and gradient[0] == 4  # type: ignore[arg-type]
    single.stepped(False)
    assert single.state() == {}


def test_a_strategy_with_one_scales_skips_and_remembers() -> None:
    single = Single(scaler=LossScaler(4.0))
    assert single.scales and float(single.scale(torch.tensor(3.0))) == 12
    gradient = torch.tensor([4.0, 8.0])
    assert single.unscale(Parameter(gradient))  # type: ignore[arg-type]
    assert gradient.tolist() == [1, 2]
    assert not single.unscale(Parameter(gradient, torch.tensor([torch.nan])))  # type: ignore[arg-type]
    single.stepped(False)
    assert single.state()["loss_scale"] == 2
    other = Single(scaler=LossScaler())
    other.restore(single.state())
    assert other.state() == single.state()


def test_an_overflow_of_another_rank_skips_the_step_here_too() -> None:
    class Second(Single):
        def sums(self, values: Sequence[float]) -> list[float]:
            return [value + 1 for value in values]

    assert not Second(scaler=LossScaler()).unscale(Parameter(torch.ones(2)))  # type: ignore[arg-type]


def test_at_the_floor_the_third_overflow_in_a_row_is_an_error() -> None:
    """There the scale is no longer to blame: the step counts as applied, and its norm stops it."""
    single = Single(scaler=LossScaler(2.0, growth_interval=10))
    told = []
    for overflows in (True, True, True, False, True, True, True):
        gradient = torch.tensor([torch.inf if overflows else 1.0])
        applied = single.unscale(Parameter(gradient))  # type: ignore[arg-type]
        told.append(applied)
        single.stepped(applied)
        assert single.state()["loss_scale"] == 1
    assert told == [False, False, False, True, False, False, True]


def test_a_part_of_a_gradient_that_is_spread_over_ranks_is_divided_where_it_lies() -> None:
    class Spread(torch.Tensor):
        part: torch.Tensor

        def to_local(self) -> torch.Tensor:
            return self.part

    parameter = torch.zeros(2, requires_grad=True)
    parameter.grad = torch.zeros(2).as_subclass(Spread)
    parameter.grad.part = torch.tensor([8.0])
    optimizer = Parameter()
    optimizer.param_groups[0]["params"].append(parameter)
    assert Single(scaler=LossScaler(4.0)).unscale(optimizer)  # type: ignore[arg-type]
    assert parameter.grad.part.tolist() == [2]


def test_fp16_alone_gets_a_scaler(tmp_path) -> None:  # type: ignore[no-untyped-def]
    config = small_config(tmp_path, loss_scale=4.0, loss_scale_growth_interval=7)
    assert build_scaler(config) is None
    assert build_scaler(config.change({"precision": "bf16"})) is None
    scaler = build_scaler(config.change({"precision": "fp16"}))
    assert scaler is not None and (scaler.loss_scale, scaler.growth_interval) == (4, 7)
