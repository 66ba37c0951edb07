"""The playground's learner without a window: setups, changes between steps, keyframes, points."""

from __future__ import annotations

import json
import math
import sys
import threading
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from core.fields import lenient, to_json
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.schedules import SCHEDULES, usual_warmup
from explorer.panes.backprop.network import compute as compute_module
from explorer.panes.backprop.network.compute import MOST_KEYFRAMES, Training
from explorer.panes.backprop.network.draft import NetworkDraft, make_data
from explorer.panes.backprop.network.keyframe import PLANE, RESOLUTION
from explorer.panes.backprop.network.presets import PRESETS, preset


def learned(name: str, steps: int) -> Training:
    training = Training(preset(name).draft)
    for _ in range(steps):
        training.learn()
    training.record()
    return training


def test_a_keyframe_holds_maps_of_every_neuron_and_of_the_output():
    training = Training(NetworkDraft())
    keyframe = training.keyframes[-1]
    assert keyframe.step == 0 and keyframe.sizes == (2, 8, 8, 1)
    assert [maps.shape for maps in keyframe.maps] == [(8, RESOLUTION, RESOLUTION)] * 2
    assert all(maps.dtype == np.uint8 for maps in keyframe.maps)
    assert keyframe.plane.shape == (PLANE, PLANE) and keyframe.plane.dtype == np.uint8
    out = training.learner.network.detached()(np.array([[-1.2, 1.2]])).item()
    assert keyframe.plane[0, 0] == round(128 + 127 * math.tanh(out / 2))


def test_everything_can_change_between_two_steps_and_what_was_learned_stays():
    training = learned("moons", 50)
    weights = training.learner.network.parameters["0.weight"].data.copy()
    one = training.draft
    for change in (
        {"activation": "relu"},
        {"hidden": (8, 8, 4)},
        {"hidden": (8, 5)},
        {"norm": "layer"},
        {"optimizer": "muon", "learning_rate": 0.02},
        {"schedule": "cosine"},
        {"penalty": "l2"},
        {"batch_size": 0},
        {"noise": 0.3, "points": 60},
        {"data": "yin-yang"},
        {"data": "hills"},
        {"added": ((0.5, 0.5, 1.0),)},
    ):
        one = replace(one, **change)
        keyframe = training.change(one)
        assert keyframe.step == 50
        np.testing.assert_array_equal(keyframe.weights[0], weights)
    assert training.one_step().step == 51
    assert math.isfinite(training.keyframes[-1].train_loss)


def test_the_same_seed_begins_alike_and_another_does_not():
    first, second = Training(NetworkDraft()), Training(NetworkDraft())
    np.testing.assert_array_equal(first.keyframes[0].weights[0], second.keyframes[0].weights[0])
    other = second.reset(replace(NetworkDraft(), seed=1))
    assert not np.array_equal(other.weights[0], first.keyframes[0].weights[0])
    np.testing.assert_array_equal(first.data.points, second.data.points)


def test_points_are_added_to_those_that_are_learned_from_and_taken_away_again():
    one = NetworkDraft(points=20)
    plain = make_data(one)
    more = make_data(one.with_point(0.1, -0.2, 1.0))
    assert len(more.train) == len(plain.train) + 1 and len(more.test) == len(plain.test)
    assert more.points[-1].tolist() == [0.1, -0.2] and more.targets[-1] == 1
    both = one.with_point(0.1, -0.2, 1.0).without(("own", 3))
    assert len(make_data(both).points) == 20
    assert not (make_data(both).points == plain.points[3]).all(1).any()
    assert both.without(("added", 0)).added == ()


def test_without_points_it_waits_and_takes_no_step():
    training = Training(NetworkDraft("own"))
    assert training.one_step().step == 0 and training.keyframes[-1].layers == ()
    assert training.change(replace(training.draft, added=((0.0, 0.0, 1.0),))).layers
    assert training.one_step().step == 1


def test_keyframes_are_thinned_and_curves_keep_one_length(monkeypatch):
    most = 60
    monkeypatch.setattr(compute_module, "MOST_KEYFRAMES", most)
    training = Training(NetworkDraft(hidden=(2,), points=10))
    for _ in range(most + 20):
        training.one_step()
    assert len(training.keyframes) < most
    steps = [keyframe.step for keyframe in training.keyframes]
    assert steps == sorted(set(steps)) and steps[0] == 0 and steps[-1] == most + 20
    assert {len(one) for one in training.curves.arrays()} == {most + 21}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_rate_peaks_where_it_does_in_a_race(schedule):
    one = NetworkDraft(schedule=schedule, steps=300)
    usual = usual_warmup(schedule, 300)
    assert one.settings.warmup_steps == (usual or (0 if schedule == "constant" else 15))
    assert replace(one, steps=1).settings.warmup_steps == 0


def test_the_beginning_of_learning_stays_in_sight():
    training = Training(NetworkDraft(hidden=(2,), points=10))
    keyframe = training.keyframes[0]
    for step in range(1, 6001):
        training.keep(replace(keyframe, step=step))
    steps = [one.step for one in training.keyframes]
    assert steps[0] == 0 and steps[-1] == 6000 and len(steps) < MOST_KEYFRAMES
    for wanted in (20, 100, 400, 1500, 3000):
        assert min(abs(step - wanted) for step in steps) <= 0.1 * wanted + 2
    for step in range(6001, 10_001):
        training.keep(replace(keyframe, step=step))
    drawn = training.curves.steps
    assert drawn == sorted(set(drawn)) and drawn[0] == 0 and drawn[-1] == 10_000
    assert max(after - before for before, after in pairwise(drawn[:100])) < 10


def test_curves_are_of_one_length_whenever_another_thread_looks():
    training = Training(NetworkDraft(hidden=(2,), points=10))
    keyframes = [training.one_step() for _ in range(100)]
    curves, lengths, ended = training.curves, set(), threading.Event()

    def learn() -> None:
        for _ in range(20):
            for keyframe in keyframes[-3:]:
                curves.take(replace(keyframe, step=100))
        ended.set()

    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        thread = threading.Thread(target=learn)
        thread.start()
        while not ended.is_set():
            lengths.add(tuple(len(one) for one in curves.arrays()))
        thread.join()
    finally:
        sys.setswitchinterval(switching)
    assert lengths <= {(101,) * 4}


@pytest.mark.parametrize("one", PRESETS, ids=lambda one: one.id)
def test_a_setup_survives_json(one):
    assert lenient(NetworkDraft, json.loads(json.dumps(to_json(one.draft)))) == one.draft


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_was_learned_survives_json_and_learning_goes_on_as_it_would_have(name):
    one = NetworkDraft(optimizer=name, learning_rate=0.01, norm="batch", schedule="cosine")
    training = Training(one)
    for _ in range(7):
        training.one_step()
    saved = json.loads(json.dumps(training.keyframes[-1].learner_state.to_json()))
    again = Training(one, saved)
    assert again.keyframes[-1].step == 7
    for _ in range(5):
        training.one_step(), again.one_step()
    for before, after in zip(
        training.keyframes[-1].weights, again.keyframes[-1].weights, strict=True
    ):
        np.testing.assert_array_equal(before, after)
    assert training.keyframes[-1].test_loss == again.keyframes[-1].test_loss


def test_what_does_not_fit_the_network_is_not_taken_over():
    training = Training(NetworkDraft())
    training.one_step()
    saved = training.keyframes[-1].learner_state.to_json()
    first = Training(NetworkDraft(hidden=(4,))).keyframes[0].weights[0]
    bad = {**saved, "parameters": {**saved["parameters"], "0.weight": "much"}}
    not_finite = {**saved, "parameters": {**saved["parameters"], "0.bias": [math.nan] * 8}}
    for one, values in (
        (NetworkDraft(hidden=(4,)), saved), (NetworkDraft(), {}), (NetworkDraft(), {"step": 3}),
        (NetworkDraft(), bad), (NetworkDraft(), not_finite),
        (NetworkDraft(), {**saved, "step": -1}),
        (NetworkDraft(), {**saved, "generator": {"state": 1}}),
    ):  # fmt: skip
        again = Training(one, values)
        assert again.keyframes[-1].step == 0 and again.learner.states == {}
    np.testing.assert_array_equal(
        Training(NetworkDraft(hidden=(4,)), saved).keyframes[0].weights[0], first
    )
    other = Training(NetworkDraft(optimizer="sgd"), saved)
    assert other.keyframes[-1].step == 1 and other.learner.states == {}


def test_a_field_that_does_not_fit_is_the_usual_one():
    saved = {"hidden": [99], "noise": "much", "data": "moon", "learning_rate": 1, "seed": 3}
    assert lenient(NetworkDraft, saved) == replace(NetworkDraft(), learning_rate=1.0, seed=3)


@pytest.mark.parametrize(
    "change",
    [{"learning_rate": -1.0}, {"noise": math.nan}, {"points": 0}, {"hidden": (9,)}, {"norm": "x"}],
)
def test_what_makes_no_draft_is_refused_with_what_would(change):
    with pytest.raises(ValueError, match=f"{next(iter(change))}.*(from|use)"):
        NetworkDraft(**change)


# What the presets say is what happens ---------------------------------------------------------


def test_gradients_vanish_in_deep_sigmoids():
    spread = [layer.gradients.std for layer in learned("vanishing", 60).keyframes[-1].layers]
    assert all(before < after for before, after in pairwise(spread))
    assert spread[0] < spread[-1] / 1000


def test_too_large_a_step_kills_relus():
    assert sum(int(layer.dead.sum()) for layer in learned("dead", 120).keyframes[-1].layers) >= 4


def test_zero_weights_stay_alike():
    keyframe = learned("zeros", 100).keyframes[-1]
    assert all((weights == weights.flat[0]).all() for weights in keyframe.weights)


def test_large_weights_saturate():
    training = Training(preset("large").draft)
    assert all(layer.saturated > 0.4 for layer in training.keyframes[-1].layers[:-1])


def test_a_big_network_overfits_few_noisy_points():
    keyframe = learned("overfit", 400).keyframes[-1]
    assert keyframe.train_loss < 0.2 and keyframe.test_loss > 5 * keyframe.train_loss


def test_too_large_a_learning_rate_diverges_and_says_so():
    training = learned("diverges", 2000)
    assert "reset" in training.diverged and training.keyframes[-1].diverged == training.diverged
    step = training.learner.step
    assert 20 < step < 1000
    assert training.one_step().step == step
    assert training.reset(training.draft).diverged == ""
