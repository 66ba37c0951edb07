"""What is told to be wrong with learning: where its cause is known, that comes first."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from explorer.panes.backprop.network.compute import Training
from explorer.panes.backprop.network.diagnosis import diagnose, overshot
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.presets import PRESETS
from explorer.panes.backprop.network.text import RESET, headline


def learned(one, steps):
    """As at 1x: a keyframe every few steps."""
    training = Training(one)
    while training.learner.step < steps and not training.diverged:
        for _ in range(4):
            training.learn()
        training.record()
    return training


def told(training):
    found, keyframe = diagnose(training, training.draft), training.keyframes[-1]
    begun = training.keyframes[0]
    return headline(keyframe, found, begun=begun)


TOO_LARGE = [
    NetworkDraft(learning_rate=3.0),
    NetworkDraft("hills", learning_rate=3.0),
]
AS_WELL = [
    NetworkDraft(learning_rate=1.0),
    NetworkDraft("spiral", learning_rate=3.0),
    NetworkDraft(activation="relu", learning_rate=1.0),
    NetworkDraft(activation="sigmoid", learning_rate=3.0),
    NetworkDraft(optimizer="muon", learning_rate=1.0),
    NetworkDraft(activation="relu", optimizer="lion", learning_rate=0.3),
]


@pytest.mark.parametrize(
    "one",
    [*TOO_LARGE, *(pytest.param(one, marks=pytest.mark.full) for one in AS_WELL)],
    ids=lambda one: f"{one.data} {one.activation}",
)
def test_a_rate_that_is_too_large_is_told_to_be_the_cause_and_is_it(one):
    """A smaller one gets further in as many steps, and is not told to be too large."""
    training = learned(one, 400)
    assert "the steps" in told(training).lower() and RESET in told(training)
    assert diagnose(training, one).too_large
    slower = learned(replace(one, learning_rate=one.learning_rate / 100), 400)
    assert slower.keyframes[-1].train_loss < training.keyframes[-1].train_loss
    assert RESET not in told(slower) and not diagnose(slower, slower.draft).too_large


FAR_AS_WELL = [
    NetworkDraft(optimizer="rmsprop", learning_rate=0.1),
    NetworkDraft("xor", activation="sigmoid", optimizer="rmsprop", learning_rate=0.1),
    NetworkDraft(learning_rate=0.02, batch_size=1, activation="relu"),
]


@pytest.mark.parametrize("steps", [12, 100])
def test_adam_at_rate_3_is_not_only_saturated(steps):
    sentence = told(learned(NetworkDraft(learning_rate=3.0), steps))
    assert "saturated because the steps were too large (the loss rose to 10.9)" in sentence


@pytest.mark.parametrize(
    ("one", "steps"),
    [
        (NetworkDraft(learning_rate=0.1), 400),
        (NetworkDraft(learning_rate=0.02, batch_size=1), 400),
        (NetworkDraft(penalty="l2", strength=0.05), 200),
        *(pytest.param(one, 400, marks=pytest.mark.full) for one in FAR_AS_WELL),
    ],
)
def test_where_learning_came_far_its_steps_are_not_blamed(one, steps):
    training = learned(one, steps)
    assert RESET not in told(training) and not diagnose(training, one).too_large


def test_first_weights_that_are_too_large_are_told_to_be_the_cause():
    """Only where it was saturated before it learned anything."""
    sentence = told(learned(NetworkDraft(scale=8.0, learning_rate=0.003), 100))
    assert "layer 1's outputs are saturated. Make the initial weights smaller" in sentence
    late = told(learned(NetworkDraft("spiral", learning_rate=0.1), 200))
    assert "outputs are saturated" in late and "initial weights" not in late


def test_dead_neurons_are_told_with_the_steps_that_killed_them():
    sentence = told(learned(NetworkDraft(activation="relu", learning_rate=1.0), 100))
    assert "neurons are dead because the steps were too large (the loss rose to 15.3)" in sentence
    few = told(learned(NetworkDraft(activation="relu", learning_rate=0.1), 100))
    assert "neurons are dead. They output 0" in few


def test_a_preset_tells_what_it_is_there_for():
    for one in PRESETS:
        training = learned(one.draft, 40)
        found = diagnose(training, one.draft)
        assert found.preset is one and math.isnan(found.rose) and not found.thrown


def test_another_setup_is_judged_by_itself():
    training = learned(NetworkDraft(learning_rate=3.0), 60)
    training.change(NetworkDraft(learning_rate=0.01))
    training.several(40)
    assert "because the steps" not in told(training)


def test_steps_that_were_too_large_are_not_told_of_those_that_are_taken_now():
    """The rate was made small, too late: what had killed the neurons were the steps before."""
    training = learned(NetworkDraft(activation="relu", optimizer="sgd", learning_rate=100.0), 100)
    assert f"the steps are too large. {RESET}" in told(training)
    one = NetworkDraft(activation="relu", optimizer="sgd", learning_rate=0.01)
    training.change(one)
    for _ in range(2):
        sentence = told(training)
        assert "are too large" not in sentence and RESET not in sentence
        assert not diagnose(training, one).too_large
        training.several(50)


def test_a_loss_that_rose_and_was_learned_all_the_same_has_not_overshot():
    guess = math.log(2)
    assert overshot([0.7, 0.6], 9.0, guess) and overshot([2.0, 1.9], 9.0, math.inf)
    assert not overshot([0.7, 0.1], 9.0, guess)
    assert not overshot([0.7, 0.6], 0.9, guess)


def test_the_loss_of_a_few_points_is_chance():
    few, many = (Training(NetworkDraft(learning_rate=3.0, batch_size=size)) for size in (8, 32))
    few.several(3), many.several(3)
    assert few.peak == 0.0 and many.peak > 3 * math.log(2)
