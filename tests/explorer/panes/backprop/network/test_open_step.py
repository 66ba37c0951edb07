"""Network: an optimizer's step is gone into, line by line, with the numbers of one weight."""

from __future__ import annotations

import re
from typing import Any

import pytest

from core.autograd import expression
from core.optimization.optimizers import OPTIMIZERS
from explorer.panes.backprop.network import inspector
from explorer.panes.backprop.network.compute import Training
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.elements import Neuron, Weight
from explorer.panes.backprop.network.optimizer_rows import update_rows
from explorer.panes.backprop.network.optimizer_step import update_trace


def test_an_optimizer_step_can_be_looked_into(mode, run_async):
    async def body() -> None:
        await mode.runner.steps(8)
        told: list[Any] = []
        mode.inspection.connect(told.append)
        mode.player.seek(4)
        assert mode.player.enter() and mode.player.depth == 1
        names = []
        for step in range(mode.player.length):
            mode.player.seek(step)
            mode.inspect()
            names.append(told[-1].step.name)
        assert names[0] == "loss" and names[-1] == "optimizer.move"
        assert mode.view.network.keyframe.step == 4
        await mode.runner.steps(1)
        assert mode.player.depth == 1 and mode.view.network.keyframe.step == 4
        assert mode.cancel() and mode.player.depth == 0
        assert mode.keyframe.step == 4

    run_async(body())


def test_inside_a_step_the_chosen_weight_has_its_own_numbers(mode, run_async):
    async def body() -> None:
        await mode.runner.steps(5)
        told: list[Any] = []
        mode.inspection.connect(told.append)
        assert mode.player.enter()
        move = mode.player.length - 1
        for weight in (Weight(0, 1, 5), Weight(1, 7, 2), Weight(2, 3, 0)):
            mode.choose(weight)
            mode.player.seek(1)
            mode.inspect()
            gradients = mode.keyframe.update.gradients[f"{weight.layer}.weight"]
            rows = {row.name: row.value for row in told[-1].rows if hasattr(row, "name")}
            assert rows["g"] == gradients[weight.before, weight.after]
            mode.player.seek(move)
            mode.inspect()
            rows = {row.name: row.value for row in told[-1].rows if hasattr(row, "name")}
            assert (
                rows["\u03b8 after"]
                == mode.keyframe.weights[weight.layer][weight.before, weight.after]
            )
        track = mode.player.track
        for element in (Weight(0, 1, 5), Neuron(1, 0), None):  # pointed at only: the layer stays
            drawn = inspector.of_inner(track.keyframe, 2, track.item(1), element)
            assert "output" in drawn.rows[0]

    run_async(body())


def test_inside_of_muons_line_no_weight_has_anothers_number():
    training = Training(NetworkDraft(optimizer="muon", hidden=(8, 8)))
    keyframe = [training.one_step() for _ in range(3)][-1]
    for layer, shape in enumerate([(2, 8), (8, 8), (8, 1)]):
        trace = update_trace(keyframe, layer)
        weight = Weight(layer, shape[0] - 1, shape[1] - 1)
        for step in trace:
            rows = inspector.of_inner(keyframe, layer, step, weight).rows
            for row in rows if step.parent is not None else ():
                value = getattr(row, "value", None)
                if getattr(row, "name", "") in ("gram", "poly"):
                    assert "Numbers" in row.note
                elif value is not None:
                    whole = step.value(row.name)
                    assert value == (whole[-1, -1] if whole.ndim else whole)


def test_the_update_of_a_weight_is_the_line_that_moves_it():
    training = Training(NetworkDraft(optimizer="lion"))
    step, _ = update_rows([training.one_step() for _ in range(2)][-1], Weight(0, 0, 0))
    assert step.code.endswith("#move")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_line_of_an_optimizer_can_be_followed_with_its_numbers(name):
    training = Training(NetworkDraft(optimizer=name))
    keyframe = [training.one_step() for _ in range(3)][-1]
    weight = Weight(1, 2, 3)
    state, taken = keyframe.update.states["1.weight"]
    seen = 0
    for step in update_trace(keyframe, 1):
        if step.parent is not None or step.name == "loss":
            continue
        rows = inspector.of_inner(keyframe, 1, step, weight).rows
        told = {row.name: row.value for row in rows if hasattr(row, "name")}
        for label in [one for one in told if one.endswith(" before")]:
            made = next(iter(step.values))
            kept = getattr(state, made) if hasattr(state, made) else state.average
            assert told[label] == kept[2, 3] != told.get(label.removesuffix(" before"))
        for text in [row for row in rows if isinstance(row, str) and " =\u00a0" in row]:
            written, result = text.split(" =\u00a0")
            for old, new in (
                ("\u2212", "-"),
                ("\u00d7", "*"),
                ("\u00b2", "**2"),
                ("\u00b3", "**3"),
            ):
                written, result = written.replace(old, new), result.replace(old, new)
            written = re.sub(r"\u221a([\d.e-]+)", r"((\1)**0.5)", written)
            written = re.sub(r"\|(.*?)\|", r"(((\1)**2)**0.5)", written)
            numbers = expression(written).item()
            assert numbers == pytest.approx(float(result), rel=0.0051), (step.formula, text)
            seen += 1
    assert taken == 2 and seen >= 1


def test_the_whole_step_of_a_weight_has_every_letter_of_its_formula():
    training = Training(NetworkDraft())
    keyframe = [training.one_step() for _ in range(3)][-1]
    step, rows = update_rows(keyframe, Weight(1, 2, 3))
    told = {row.name: row.value for row in rows}
    assert list(told) == [
        "\u03b8", "g", "\u03b7", "s", "m before", "m", "v before", "v", "m\u0302", "v\u0302", "d",
        "\u03b8 after", "\u0394\u03b8",
    ]  # fmt: skip
    moved = told["\u03b8"] - told["\u03b7"] * told["d"]
    assert moved == told["\u03b8 after"] == keyframe.weights[1][2, 3]
    assert r"\hat m" in step.formula and r"\beta_1" in step.formula
