"""The usual rates hold under every schedule: nobody runs away, or ends above where it began.

Races of one optimizer that differ only in their schedules are run together: the rules work on
arrays, and here a row is a race.
"""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest

from core.autograd import Tensor
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.race import FAR, race_steps
from core.optimization.race_rates import usual_settings
from core.optimization.schedules import SCHEDULES, learning_rate_at
from core.optimization.sgd import SGDSettings
from core.optimization.surfaces import SURFACES, Surface

STEPS = 200
WARMUPS = (0, 1, 3, 10, 20, 30, 50, 66, 100)
FEW = (0, 20, 66)  # for Muon, whose matrices go one by one


def rates_of(peak: float, warmups: tuple[int, ...], steps: int) -> np.ndarray:
    """(races, steps): a row for each schedule and warm-up."""
    return np.array(
        [
            [
                learning_rate_at(
                    step,
                    schedule=schedule,
                    learning_rate=peak,
                    min_learning_rate=0.0,
                    warmup_steps=warmup,
                    steps=steps,
                )
                for step in range(steps)
            ]
            for schedule in SCHEDULES
            for warmup in warmups
        ]
    )


def slopes(surface: Surface, positions: np.ndarray) -> np.ndarray:
    """(races, 2): one backward for all, for no height depends on another race's place."""
    x, y = (Tensor(positions[:, axis], name=name) for axis, name in enumerate("xy"))
    surface.height(x, y).sum().backward()
    return np.stack([x.grad, y.grad], axis=1)


def heights_of(surface: Surface, name: str, warmups: tuple[int, ...], steps: int) -> np.ndarray:
    """(races, steps + 1), infinite from where one ran away."""
    rule, usual = OPTIMIZERS[name], usual_settings(surface, name)
    rates = rates_of(usual.learning_rate, warmups, steps)
    positions = np.tile(np.array(surface.start), (len(rates), 1))
    generator = np.random.default_rng(0)
    gone = np.zeros(len(rates), bool)
    state = [rule.state()] * len(rates) if rule.matrices_only else rule.state()
    heights = [surface.value(*positions.T)]
    noise = generator.normal(0.0, surface.noise, (steps + 1, 2))
    for step in range(1, steps + 1):
        with np.errstate(all="ignore"):
            grads = slopes(surface, positions) + noise[step - 1]
            rate = rates[:, step - 1 : step]
            settings = SimpleNamespace(**{**asdict(usual), "learning_rate": rate})
            if rule.matrices_only:
                positions, state = one_by_one(rule, positions, grads, state, step, settings)
            else:
                positions, state = rule.update(positions, grads, state, step, settings)
            gone |= ~(np.abs(positions).max(axis=1) < FAR)
            heights.append(np.where(gone, np.inf, surface.value(*positions.T)))
            positions = np.where(gone[:, None], surface.start, positions)
    return np.stack(heights, axis=1)


def one_by_one(rule, positions, grads, state, step, settings):
    given = asdict(rule.settings())
    moved = []
    for row, rate in enumerate(settings.learning_rate[:, 0]):
        own = rule.settings(**{**given, "learning_rate": float(rate), "weight_decay": 0.0})
        moved.append(
            rule.update(positions[row : row + 1], grads[row : row + 1], state[row], step, own)
        )
    return np.vstack([new for new, _ in moved]), [after for _, after in moved]


@pytest.mark.parametrize("name", ("adam", "muon"))
@pytest.mark.parametrize("surface", ("rosenbrock", "bowl"))
def test_races_that_are_run_together_go_as_each_alone(surface: str, name: str) -> None:
    together = heights_of(SURFACES[surface], name, (5,), 12)
    for row, schedule in enumerate(SCHEDULES):
        alone = race_steps(
            SURFACES[surface], [(name, None)], steps=12, schedule=schedule, warmup_steps=5
        )
        heights = [moment.racers[0].height for moment in alone]
        np.testing.assert_allclose(together[row], heights, rtol=1e-9)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("surface", SURFACES)
def test_under_every_schedule_nobody_runs_away_or_ends_above_the_start(
    surface: str, name: str
) -> None:
    warmups = FEW if OPTIMIZERS[name].matrices_only else WARMUPS
    heights = heights_of(SURFACES[surface], name, warmups, STEPS)
    assert np.isfinite(heights).all()
    assert (heights[:, -1] < heights[:, 0]).all()


@pytest.mark.parametrize("steps", (50, pytest.param(600, marks=pytest.mark.full)))
def test_nor_does_anybody_run_away_in_a_shorter_or_longer_race(steps: int) -> None:
    """On the surface whose valley is steepest."""
    for name in OPTIMIZERS:
        heights = heights_of(SURFACES["rosenbrock"], name, (0, steps // 10, steps // 3), steps)
        assert np.isfinite(heights).all(), name


def test_where_the_bent_valley_begins_only_low_rates_are_stable() -> None:
    """The numbers that race_rates tells, and that SGD's usual rate is below them."""
    surface = SURFACES["rosenbrock"]
    x, y = surface.start
    hessian = np.array([[2 + 1200 * x**2 - 400 * y, -400 * x], [-400 * x, 200.0]])
    curvature = np.linalg.eigvalsh(hessian).max()
    assert round(curvature) == 1506
    assert usual_settings(surface, "sgd").learning_rate < 2 / curvature
    *_, last = race_steps(surface, [("sgd", SGDSettings(0.005))], steps=200)
    assert last.racers[0].lost_at is None
    *_, last = race_steps(surface, [("sgd", SGDSettings(0.005))], steps=200, warmup_steps=20)
    assert last.racers[0].lost_at == 24
