"""A race: everybody goes where the rule alone would, and who runs away is told."""

from itertools import pairwise

import numpy as np
import pytest

from core.optimization import OPTIMIZERS, trace_update
from core.optimization.adam import AdamSettings
from core.optimization.momentum import MomentumSettings
from core.optimization.race import race_steps
from core.optimization.race_rates import usual_rate
from core.optimization.schedules import learning_rate_at
from core.optimization.sgd import SGDSettings
from core.optimization.surfaces import SURFACES
from core.optimization.typed_surface import typed_surface
from tests.core.optimization.invented import add_to_the_list

RAVINE = SURFACES["ravine"]


def test_the_race_of_the_first_three_steps() -> None:
    """f = x^2 + 10 y^2 from (1, 1)."""
    entries = [
        ("sgd", SGDSettings(0.05)),
        ("momentum", MomentumSettings(0.05)),
        ("adam", AdamSettings(0.1)),
    ]
    path = [
        [racer.position for racer in moment.racers]
        for moment in race_steps(RAVINE, entries, (1.0, 1.0), 3)
    ]
    expected = [
        [(1, 1), (1, 1), 1],
        [(0.9, 0), (0.9, 0), 0.9],
        [(0.81, 0), (0.72, -0.9), 0.800412229],
        [(0.729, 0), (0.486, -0.81), 0.701586273],
    ]
    for places, (sgd, momentum, adam) in zip(path, expected, strict=True):
        assert places[0] == pytest.approx(sgd, abs=1e-12)
        assert places[1] == pytest.approx(momentum, abs=1e-12)
        assert places[2] == pytest.approx([adam, adam], abs=2e-9)


def test_every_optimizer_gets_down_into_the_ravine() -> None:
    rates = {"sgd": 0.05, "momentum": 0.01, "nesterov": 0.01, "adagrad": 1.0, "lion": 0.05}
    entries = [
        (name, rule.settings(learning_rate=rates.get(name, 0.1), weight_decay=0.0))
        for name, rule in OPTIMIZERS.items()
    ]
    first, *_, last = race_steps(RAVINE, entries, steps=300, schedule="linear")
    assert [racer.name for racer in last.racers] == list(OPTIMIZERS)
    for racer in last.racers:
        assert racer.height < 0.01 * first.racers[0].height, racer.name
        assert racer.lost_at is None


@pytest.mark.parametrize("name", SURFACES)
def test_with_the_usual_settings_everybody_comes_down(name: str) -> None:
    """Within 200 steps to a fiftieth of the height at most, and nobody runs away. Along the bent
    valley three of them take longer, for there is little slope.
    """
    slow = {"sgd": 1 / 6, "adagrad": 0.08, "rmsprop": 0.03} if name == "rosenbrock" else {}
    surface = SURFACES[name]
    low = float(surface.value(*surface.minima[0]))
    first, *_, last = race_steps(surface, [(name, None) for name in OPTIMIZERS], steps=200)
    for racer in last.racers:
        assert racer.lost_at is None, racer
        share = slow.get(racer.name, 0.02)
        assert racer.height - low < share * (first.racers[0].height - low), racer.name


def test_a_typed_surface_has_careful_rates() -> None:
    typed = typed_surface("x**4 + y**2", start=(1.5, 1.0))
    first, *_, last = race_steps(typed, [(name, None) for name in OPTIMIZERS], steps=200)
    assert all(racer.height < first.racers[0].height / 10 for racer in last.racers)


def test_a_new_optimizer_races_at_a_careful_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = add_to_the_list(monkeypatch)
    for surface in SURFACES.values():
        usual = {name: usual_rate(surface, name) for name in OPTIMIZERS}
        assert usual_rate(surface, rule.name) == min(usual.values())
        *_, last = race_steps(surface, [("sgd", None), (rule.name, None)], steps=50)
        assert [racer.lost_at for racer in last.racers] == [None, None]


def test_any_step_can_be_told_line_by_line() -> None:
    entries = [(name, None) for name in OPTIMIZERS]
    moments = list(race_steps(SURFACES["rosenbrock"], entries, steps=5))
    for before, after in pairwise(moments):
        for racer, moved in zip(before.racers, after.racers, strict=True):
            shape = (1, 2) if racer.name == "muon" else (2,)
            trace = trace_update(
                racer.name,
                racer.position.reshape(shape),
                racer.gradient.reshape(shape),
                racer.state,
                after.step,
                racer.settings,
            )
            assert (trace.about["new"].reshape(2) == moved.position).all()


def test_who_runs_away_is_told_and_the_others_go_on() -> None:
    entries = [("sgd", SGDSettings(0.5)), ("adam", AdamSettings(0.05))]
    *_, last = race_steps(RAVINE, entries, steps=400)
    lost, going = last.racers
    assert lost.lost_at is not None and lost.lost_at < 30 and np.isfinite(lost.position).all()
    assert going.lost_at is None and going.height < 1e-3
    entries = [("sgd", SGDSettings(1e300))]
    *_, last = race_steps(SURFACES["himmelblau"], entries, steps=3)
    assert last.racers[0].lost_at == 1
    walled = typed_surface("-log(x) + y**2", start=(0.5, 0.5))
    *_, last = race_steps(walled, [("momentum", MomentumSettings(0.7)), entries[0]], steps=50)
    assert all(np.isfinite(racer.height) for racer in last.racers)


def test_noise_is_the_same_for_all_and_by_the_seed() -> None:
    bowl = SURFACES["bowl"]
    entries = [("sgd", SGDSettings(0.1)), ("momentum", MomentumSettings(0.0))]

    def gradients(seed: int) -> list[np.ndarray]:
        generator = np.random.default_rng(seed)
        steps = race_steps(bowl, entries, steps=4, generator=generator)
        return [m.racers[0].gradient - m.racers[0].position for m in steps]

    assert np.allclose(gradients(1), gradients(1)) and not np.allclose(gradients(1), gradients(2))
    for moment in race_steps(bowl, entries, steps=4):
        first, second = (racer.gradient - racer.position for racer in moment.racers)
        assert first == pytest.approx(second)


def test_rates_follow_the_schedule() -> None:
    schedule = {"schedule": "cosine", "warmup_steps": 3}
    moments = race_steps(RAVINE, [("sgd", SGDSettings(0.02))], steps=10, **schedule)
    for moment in moments:
        expected = learning_rate_at(
            moment.step, learning_rate=0.02, min_learning_rate=0.0, steps=10, **schedule
        )
        assert moment.racers[0].settings.learning_rate == expected


def test_what_cannot_race_says_the_remedy() -> None:
    for arguments, remedy in [
        ({"entries": [("adamax", None)]}, "use 'sgd'"),
        ({"entries": [("sgd", AdamSettings())]}, "SGD takes SGDSettings"),
        ({"start": (1.0, np.nan)}, "two finite numbers"),
        ({"start": (1.0,)}, "two finite numbers"),
        ({"steps": 0}, "at least 1"),
        ({"schedule": "exponential"}, "'one-cycle'"),
        ({"surface": typed_surface("log(x)"), "start": (-1.0, 0.0)}, "no finite height at"),
    ]:
        whole = {"surface": RAVINE, "entries": [("sgd", None)], **arguments}
        with pytest.raises(ValueError, match=remedy):
            next(race_steps(**whole))
