"""What a preset says is so: each claim is measured."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from core.numbers import format_number, format_percent
from explorer.panes.backprop.network.compute import Training
from explorer.panes.backprop.network.diagnosis import Diagnosis, learned_worse, runs_away
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.presets import PRESETS, preset
from explorer.panes.backprop.network.text import RESET, headline


def taught(name: str) -> Training:
    return Training(preset(name).draft)


def test_a_dead_relu_never_comes_back():
    training = taught("dead")
    learner = training.learner
    counts, before, died = [], frozenset[int](), {}
    for step in range(150):
        layer = learner.network.layers(training.data.train.points)[0].out.data
        dead = frozenset(np.flatnonzero((layer <= 0).all(0)).tolist())
        assert before <= dead, f"one came back before step {step}"
        weights = learner.network.parameters["0.weight"].data
        for neuron in dead:
            died.setdefault(neuron, weights[:, neuron].copy())
            np.testing.assert_array_equal(weights[:, neuron], died[neuron])
        counts.append(len(dead))
        before = dead
        assert not learner.learn().diverged
    assert counts[0] == 0 and counts[1] >= 2, "the first step kills some, none was dead before"
    assert counts[60] == 7 == counts[-1]
    shown = training.record()
    assert shown.layers[0].dead.sum() == 7 and shown.train_loss < 0.5


def test_large_first_weights_saturate_most_neurons_and_carry_the_gradient_back():
    training = taught("large")
    *hidden, last = training.keyframes[0].layers
    assert np.mean([layer.saturated for layer in hidden]) > 0.7
    network, points = training.learner.network, training.data.train.points
    slopes = [1 - layer.out.data**2 for layer in network.layers(points)[:-1]]
    assert np.median(np.concatenate([one.ravel() for one in slopes])) < 0.01
    assert hidden[0].gradients.size > last.gradients.size, "it does not vanish: weights are large"


def test_the_gradient_of_six_sigmoids_vanishes_to_a_thousandth():
    keyframe = taught("vanishing").one_step()
    sizes = [layer.gradients.size for layer in keyframe.layers]
    assert all(before < after for before, after in pairwise(sizes))
    assert sizes[0] < sizes[-1] / 1000
    said = headline(keyframe, Diagnosis(preset("vanishing")))
    assert f" {format_number(sizes[-1] / sizes[0])} times smaller" in said


def test_of_zeros_only_the_last_bias_learns():
    training = taught("zeros")
    training.several(50)
    parameters = training.learner.network.parameters
    moved = [name for name, tensor in parameters.items() if np.abs(tensor.data).max() > 0]
    assert moved == ["2.bias"]


def test_overfitting_lowers_the_training_loss_and_raises_the_tests():
    training = taught("overfit")
    losses = []
    for _ in range(300):
        training.learner.learn()
        losses.append(training.learner.test_loss())
    shown = training.record()
    assert shown.train_loss < 0.1 and shown.test_loss > 2 * min(losses)


@pytest.mark.parametrize("one", PRESETS, ids=lambda one: one.id)
def test_what_to_look_for_gives_way_to_what_happens(one):
    """Before the first step its own sentence; after it that of any network in this state."""
    training = Training(one.draft)
    assert headline(training.keyframes[0], Diagnosis(one)) == one.look
    for _ in range(3):
        keyframe = training.one_step()
        said = headline(keyframe, Diagnosis(one))
        assert said == headline(keyframe, Diagnosis()) and f"Step {keyframe.step}: " in said


def after(name: str, steps: int):
    training = taught(name)
    for _ in range(steps):
        training.learner.learn()
    keyframe = training.record()
    return keyframe, headline(keyframe, Diagnosis(preset(name)), begun=training.keyframes[0])


def test_presets_tell_their_numbers_as_learning_goes_on():
    keyframe, said = after("moons", 40)
    assert (
        f"{format_percent(keyframe.train_accuracy)} of the training points" in said
        and "solved" not in said
    )
    keyframe, said = after("moons", 1500)
    assert f"solved: {format_percent(keyframe.train_accuracy)}" in said, (
        "though a layer is saturated by now"
    )
    assert keyframe.layers[1].saturated > 0.5
    keyframe, said = after("zeros", 50)
    assert not any(weights.any() for weights in keyframe.weights)
    assert "still 0" in said and format_number(keyframe.train_loss) in said
    keyframe, said = after("dead", 150)
    assert f"{keyframe.layers[0].dead.sum()} of 8 neurons are dead" in said
    keyframe, said = after("large", 1000)
    assert (
        f"{format_percent(keyframe.layers[1].saturated)} of layer 2's outputs are saturated" in said
    )


def test_neurons_that_begin_equal_stay_equal():
    draft = NetworkDraft(initialization="zeros", activation="sigmoid", hidden=(4,))
    training = Training(draft)
    training.several(200)
    keyframe = training.keyframes[-1]
    first = keyframe.weights[0]
    assert first.any() and (first == first[:, :1]).all()
    assert "equal weights" in headline(keyframe, Diagnosis())


@pytest.mark.full
def test_what_a_preset_does_not_set_out_to_show_is_told_where_it_happens():
    training, spiral = taught("spiral"), preset("spiral")
    assert headline(training.keyframes[0], Diagnosis(spiral)) == spiral.look
    while training.learner.step < 5000:
        training.learner.learn()
        if training.learner.step % 100 == 0 and training.learner.test_loss() > 1.0:
            break
    shown = training.record()
    assert shown.test_loss > 2 * shown.train_loss + 0.1
    assert "overfits" in headline(shown, Diagnosis(spiral))


def test_what_a_preset_sets_out_to_show_is_told_where_it_happens():
    overfit = taught("overfit")
    for _ in range(300):
        overfit.learner.learn()
    assert "overfits" in headline(overfit.record(), Diagnosis(preset("overfit")))


def test_too_large_a_rate_ends_in_no_number():
    training = taught("diverges")
    while not training.diverged and training.learner.step < 2000:
        training.one_step()
    assert training.keyframes[-1].diverged


@pytest.mark.parametrize("optimizer, rate", [("sgd", 100.0), ("momentum", 30.0), ("adam", 1e6)])
def test_too_large_a_rate_is_told_for_classes_too_and_soon(optimizer, rate):
    training = Training(NetworkDraft(optimizer=optimizer, learning_rate=rate))
    told = []
    for _ in range(40):
        training.one_step()
        told.append(runs_away(training.curves.train))
    assert not training.diverged and all(told[5:])


@pytest.mark.parametrize(
    "one", [one for one in PRESETS if one.id != "diverges"], ids=lambda p: p.id
)
def test_a_rate_that_learns_is_never_told_to_be_too_large(one):
    training = Training(one.draft)
    for _ in range(60):
        training.one_step()
        assert not runs_away(training.curves.train)
        teaches_it = one.id == "dead"
        assert teaches_it or not learned_worse(training.curves.train, training.data.classes)


def test_a_loss_above_that_of_guessing_is_told():
    training = Training(NetworkDraft(optimizer="adam", learning_rate=10.0))
    keyframes = [training.one_step() for _ in range(60)]
    worse = [one for one in keyframes if one.train_loss > 1.2 * np.log(2)]
    assert len(worse) > 20
    for one in worse:
        assert "worse than guessing" in headline(one, Diagnosis())
    assert "guessing" not in headline(Training(NetworkDraft()).one_step(), Diagnosis())


def judged(training: Training) -> str:
    losses, keyframe = training.curves.train, training.keyframes[-1]
    worse = learned_worse(losses, keyframe.classes)
    return headline(keyframe, Diagnosis(None, losses[0], worse=worse))


@pytest.mark.parametrize("optimizer, rate", [("sgd", 10.0), ("sgd", 30.0), ("adam", 10.0)])
def test_what_learning_made_worse_than_guessing_is_told_with_a_way_out(optimizer, rate):
    training = Training(NetworkDraft(optimizer=optimizer, learning_rate=rate))
    training.several(50)
    assert RESET in judged(training)


def test_first_weights_that_guess_badly_are_told_with_a_way_out():
    training = Training(NetworkDraft(activation="sigmoid", scale=100.0))
    training.several(50)
    assert "initial weights smaller" in judged(training) and RESET not in judged(training)


def test_batch_norm_over_one_point_is_told():
    training = Training(NetworkDraft(norm="batch", batch_size=1))
    before = training.keyframes[0].weights[0]
    training.several(20)
    assert "batch of 1" in judged(training)
    np.testing.assert_array_equal(training.keyframes[-1].weights[0], before)


def test_overfitting_is_told_before_a_layer_that_is_saturated():
    training = Training(NetworkDraft(points=40, learning_rate=0.05, noise=0.3, batch_size=0))
    for _ in range(600):
        training.learner.learn()
    keyframe = training.record()
    assert any(layer.saturated > 0.5 for layer in keyframe.layers)
    assert keyframe.test_loss > 2 * keyframe.train_loss + 0.1 and "overfits" in judged(training)


def test_the_gradient_of_one_point_has_a_size_though_nothing_to_spread():
    training = Training(NetworkDraft(points=2))
    training.several(5)
    last = training.keyframes[-1].layers[-1].gradients
    assert len(training.data.train) == 1 and last.std == 0
    assert last.size == abs(last.mean) > 0


def test_where_there_are_three_classes_no_line_is_told_of():
    for data, words in (("moons", "side of the boundary"), ("yin-yang", "classified correctly")):
        training = Training(NetworkDraft(data=data))
        training.several(60)
        said = headline(training.keyframes[-1], Diagnosis())
        assert words in said, said


def test_a_layer_that_is_gone_gets_no_neurons():
    draft = NetworkDraft(hidden=(4,))
    assert draft.with_neurons(1, 1) == draft
    assert draft.with_neurons(0, 1).hidden == (5,)
