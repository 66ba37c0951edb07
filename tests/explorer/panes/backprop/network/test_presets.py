"""What a preset says is so: each claim is measured."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from core.numbers import format_number, format_percent
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.lab import NetworkLab
from explorer.panes.backprop.network.presets import PRESETS, preset
from explorer.panes.backprop.network.text import headline, learned_worse, runs_away


def taught(name: str) -> NetworkLab:
    return NetworkLab(preset(name).draft)


def test_a_dead_relu_never_comes_back():
    lab = taught("dead")
    learner = lab.learner
    counts, before, died = [], frozenset[int](), {}
    for step in range(150):
        layer = learner.network.layers(lab.data.train.points)[0].out.data
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
    shown = lab.look()
    assert shown.layers[0].dead.sum() == 7 and shown.train_loss < 0.5


def test_large_first_weights_saturate_most_neurons_and_carry_the_gradient_back():
    lab = taught("large")
    *hidden, last = lab.moments[0].layers
    assert np.mean([layer.saturated for layer in hidden]) > 0.7
    network, points = lab.learner.network, lab.data.train.points
    slopes = [1 - layer.out.data**2 for layer in network.layers(points)[:-1]]
    assert np.median(np.concatenate([one.ravel() for one in slopes])) < 0.01
    assert hidden[0].gradients.size > last.gradients.size, "it does not vanish: weights are large"


def test_the_gradient_of_six_sigmoids_vanishes_to_a_thousandth():
    moment = taught("vanishing").one_step()
    sizes = [layer.gradients.size for layer in moment.layers]
    assert all(before < after for before, after in pairwise(sizes))
    assert sizes[0] < sizes[-1] / 1000
    said = headline(moment, "paused", "", preset("vanishing"))
    assert f" {format_number(sizes[-1] / sizes[0])} times smaller" in said


def test_of_zeros_only_the_last_bias_learns():
    lab = taught("zeros")
    lab.several(50)
    parameters = lab.learner.network.parameters
    moved = [name for name, tensor in parameters.items() if np.abs(tensor.data).max() > 0]
    assert moved == ["2.bias"]


def test_overfitting_lowers_the_training_loss_and_raises_the_tests():
    lab = taught("overfit")
    losses = []
    for _ in range(300):
        lab.learner.learn()
        losses.append(lab.learner.test_loss())
    shown = lab.look()
    assert shown.train_loss < 0.1 and shown.test_loss > 2 * min(losses)


@pytest.mark.parametrize("one", PRESETS, ids=lambda one: one.id)
def test_what_to_look_for_gives_way_to_what_happens(one):
    """Before the first step its own sentence; after it that of any network in this state."""
    lab = NetworkLab(one.draft)
    assert headline(lab.moments[0], "paused", "", one) == one.look
    for _ in range(3):
        moment = lab.one_step()
        said = headline(moment, "paused", "", one)
        assert said == headline(moment, "paused", "", None) and f"Step {moment.step}: " in said


def after(name: str, steps: int):
    lab = taught(name)
    for _ in range(steps):
        lab.learner.learn()
    moment = lab.look()
    return moment, headline(moment, "paused", "", preset(name), begun=lab.moments[0])


def test_presets_tell_their_numbers_as_learning_goes_on():
    moment, said = after("moons", 40)
    assert f"{format_percent(moment.train_accuracy)} of the points" in said and "solved" not in said
    moment, said = after("moons", 1500)
    assert f"solved: {format_percent(moment.train_accuracy)}" in said, (
        "though a layer is saturated by now"
    )
    assert moment.layers[1].saturated > 0.5
    moment, said = after("zeros", 50)
    assert not any(weights.any() for weights in moment.weights)
    assert "still 0" in said and format_number(moment.train_loss) in said
    moment, said = after("dead", 150)
    assert f"{moment.layers[0].dead.sum()} of 8 neurons are dead" in said
    moment, said = after("large", 1000)
    assert (
        f"{format_percent(moment.layers[1].saturated)} of layer 2's outputs are saturated" in said
    )


def test_neurons_that_begin_equal_stay_equal():
    draft = NetworkDraft(initialization="zeros", activation="sigmoid", hidden=(4,))
    lab = NetworkLab(draft)
    lab.several(200)
    moment = lab.moments[-1]
    first = moment.weights[0]
    assert first.any() and (first == first[:, :1]).all()
    assert "equal weights" in headline(moment, "paused", "", None)


@pytest.mark.full
def test_what_a_preset_does_not_set_out_to_show_is_told_where_it_happens():
    lab, spiral = taught("spiral"), preset("spiral")
    assert headline(lab.moments[0], "paused", "", spiral) == spiral.look
    while lab.learner.step < 5000:
        lab.learner.learn()
        if lab.learner.step % 100 == 0 and lab.learner.test_loss() > 1.0:
            break
    shown = lab.look()
    assert shown.test_loss > 2 * shown.train_loss + 0.1
    assert "overfits" in headline(shown, "paused", "", spiral)


def test_what_a_preset_sets_out_to_show_is_told_where_it_happens():
    overfit = taught("overfit")
    for _ in range(300):
        overfit.learner.learn()
    assert "overfits" in headline(overfit.look(), "paused", "", preset("overfit"))


def test_too_large_a_rate_ends_in_no_number():
    lab = taught("diverges")
    while not lab.diverged and lab.learner.step < 2000:
        lab.one_step()
    assert lab.moments[-1].diverged


@pytest.mark.parametrize("optimizer, rate", [("sgd", 100.0), ("momentum", 30.0), ("adam", 1e6)])
def test_too_large_a_rate_is_told_for_classes_too_and_soon(optimizer, rate):
    lab = NetworkLab(NetworkDraft(optimizer=optimizer, learning_rate=rate))
    told = []
    for _ in range(40):
        lab.one_step()
        told.append(runs_away(lab.curves.train))
    assert not lab.diverged and all(told[5:])


@pytest.mark.parametrize(
    "one", [one for one in PRESETS if one.id != "diverges"], ids=lambda p: p.id
)
def test_a_rate_that_learns_is_never_told_to_be_too_large(one):
    lab = NetworkLab(one.draft)
    for _ in range(60):
        lab.one_step()
        assert not runs_away(lab.curves.train)
        teaches_it = one.id == "dead"
        assert teaches_it or not learned_worse(lab.curves.train, lab.data.classes)


def test_a_loss_above_that_of_guessing_is_told():
    lab = NetworkLab(NetworkDraft(optimizer="adam", learning_rate=10.0))
    moments = [lab.one_step() for _ in range(60)]
    worse = [one for one in moments if one.train_loss > 1.2 * np.log(2)]
    assert len(worse) > 20
    for one in worse:
        assert "worse than guessing" in headline(one, "paused", "", None)
    assert "guessing" not in headline(NetworkLab(NetworkDraft()).one_step(), "paused", "", None)


def judged(lab: NetworkLab) -> str:
    losses, moment = lab.curves.train, lab.moments[-1]
    worse = learned_worse(losses, moment.classes)
    return headline(moment, "paused", "", None, losses[0], worse=worse)


@pytest.mark.parametrize("optimizer, rate", [("sgd", 10.0), ("sgd", 30.0), ("adam", 10.0)])
def test_what_learning_made_worse_than_guessing_is_told_with_a_way_out(optimizer, rate):
    lab = NetworkLab(NetworkDraft(optimizer=optimizer, learning_rate=rate))
    lab.several(50)
    assert "reset, and learn slower" in judged(lab)


def test_first_weights_that_guess_badly_are_told_with_a_way_out():
    lab = NetworkLab(NetworkDraft(activation="sigmoid", scale=100.0))
    lab.several(50)
    assert "first weights smaller" in judged(lab) and "slower" not in judged(lab)


def test_batch_norm_over_one_point_is_told():
    lab = NetworkLab(NetworkDraft(norm="batch", batch_size=1))
    before = lab.moments[0].weights[0]
    lab.several(20)
    assert "batch of 1" in judged(lab)
    np.testing.assert_array_equal(lab.moments[-1].weights[0], before)


def test_overfitting_is_told_before_a_layer_that_is_saturated():
    lab = NetworkLab(NetworkDraft(points=40, learning_rate=0.05, noise=0.3, batch_size=0))
    for _ in range(600):
        lab.learner.learn()
    moment = lab.look()
    assert any(layer.saturated > 0.5 for layer in moment.layers)
    assert moment.test_loss > 2 * moment.train_loss + 0.1 and "it overfits" in judged(lab)


def test_the_gradient_of_one_point_has_a_size_though_nothing_to_spread():
    lab = NetworkLab(NetworkDraft(points=2))
    lab.several(5)
    last = lab.moments[-1].layers[-1].gradients
    assert len(lab.data.train) == 1 and last.std == 0
    assert last.size == abs(last.mean) > 0


def test_where_there_are_three_classes_no_line_is_told_of():
    for data, words in (("moons", "side of the line"), ("yin-yang", "their own class")):
        lab = NetworkLab(NetworkDraft(data=data))
        lab.several(60)
        said = headline(lab.moments[-1], "paused", "", None)
        assert words in said, said


def test_a_layer_that_is_gone_gets_no_neurons():
    draft = NetworkDraft(hidden=(4,))
    assert draft.with_neurons(1, 1) == draft
    assert draft.with_neurons(0, 1).hidden == (5,)
