"""Network: what is pointed at, chosen and followed, and what the inspector says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.substitution import arithmetic
from explorer.panes.backprop.network import inspector
from explorer.panes.backprop.network.compute import Training
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.elements import DataPoint, Neuron, Weight
from explorer.panes.backprop.network.hit_testing import element_at, from_plane
from explorer.panes.backprop.network.network_picture import NetworkPicture
from explorer.panes.backprop.network.text import pointer_words
from tests.core.test_trace import MarkedLines


def test_a_point_is_followed_forward_and_back_and_left_again(mode, run_async):
    async def body() -> None:
        await mode.runner.steps(10)
        mode.follow(3)
        await mode.settled()
        sample = mode.sample
        told: list[Any] = []
        mode.inspection.connect(told.append)
        assert mode.player.position == 0 and mode.player.length == len(sample)
        for index in range(len(sample)):
            mode.player.seek(index)
            mode.inspect()
            assert told[-1].title and (index == 0 or told[-1].step.code)
        shown = mode.view.network.displayed()
        network, data = mode.runner.training.learner.network, mode.runner.training.data
        layers = network.layers(data.points[3:4])
        np.testing.assert_allclose(shown["values 1"], layers[0].normed.data[0])
        np.testing.assert_allclose(shown["values 3"], layers[2].out.data[0])
        layers[0].out.requires_grad = True
        assert mode.cancel() and mode.sample is None
        assert mode.player.at_live_edge and mode.keyframe.step == 10

    run_async(body())


def test_a_point_is_followed_through_batch_norm(mode, run_async):
    async def body() -> None:
        mode.change_field("norm", "batch")
        await mode.settled()
        mode.follow(0)
        await mode.settled()
        sample = mode.sample
        assert sample is not None and any(role.kind == "norm" for role in sample.roles)

    run_async(body())


def test_a_neuron_and_a_weight_can_be_chosen_and_let_go(mode, run_async):
    async def body() -> None:
        await mode.runner.steps(3)
        told: list[Any] = []
        mode.inspection.connect(told.append)
        mode.choose(Weight(1, 2, 3))
        assert told[-1].pinned and told[-1].step.code.startswith("core.optimization.adam")
        mode.choose(Neuron(1, 2))
        assert told[-1].title == "Layer 1, neuron 3"
        assert "tanh" in told[-1].step.formula and told[-1].step.code.endswith("_layer#sums")
        assert mode.cancel() and mode.view.network.chosen is None
        mode.choose(Neuron(2, 7))
        mode.view.neuronsRequested.emit(1, -1)
        await mode.settled()
        assert mode.view.network.chosen is None

    run_async(body())


def test_the_drawing_is_reached_by_keyboard(mode, run_async):
    drawing = mode.view.network

    def press(*keys: Any) -> None:
        for key in keys:
            QTest.keyClick(drawing, key)

    async def body() -> None:
        drawing.setFocus()
        press(Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Return)
        assert drawing.chosen == Neuron(1, 1)
        press(Qt.Key.Key_Right, Qt.Key.Key_Right)
        assert drawing.cursor == (0.0, 0.0)
        drawing.set_tool("add")
        press(*[Qt.Key.Key_Up] * 22, *[Qt.Key.Key_Left] * 21, Qt.Key.Key_Return)
        await mode.settled()
        ((x, y, _),) = mode.draft.value.added
        assert (x, y) == pytest.approx((-1.05, 1.1))
        drawing.set_tool("inspect")
        press(Qt.Key.Key_Return)
        await mode.settled()
        assert mode.sample.point == pytest.approx((x, y))
        mode.leave_sample()
        press(Qt.Key.Key_Delete)
        await mode.settled()
        assert mode.draft.value.added == ()
        press(*[Qt.Key.Key_Left] * 4)
        assert drawing.cursor is None and drawing.hovered == Neuron(2, 0)

    run_async(body())


def test_pointing_tells_what_is_there(mode, run_async):
    async def body() -> None:
        await mode.runner.steps(2)
        drawing = mode.view.network
        layout, keyframe, data = drawing.layout_now, drawing.keyframe, drawing.data
        x, y, width, height = layout.boxes[1][4]
        assert element_at(layout, keyframe, data, x + width / 2, y + height / 2) == Neuron(1, 4)
        x1, y1, x2, y2 = layout.edge(0, 0, 0)
        weight = element_at(layout, keyframe, data, x1 + 0.7 * (x2 - x1), y1 + 0.7 * (y2 - y1))
        assert weight == Weight(0, 0, 0) and "weight" in pointer_words(weight, keyframe, data)
        px, py = from_plane(layout.plane, *data.points[5])
        assert isinstance(element_at(layout, keyframe, data, px, py), DataPoint)
        px, py = from_plane(layout.plane, -1.15, -1.15)
        assert element_at(layout, keyframe, data, px, py) is None

    run_async(body())


DATA = ["own", "yin-yang", "hills"]  # none at first, three classes, a height
DATA += [pytest.param(one, marks=pytest.mark.full) for one in ("spiral", "xor", "circle")]


@pytest.mark.parametrize("data", DATA)
def test_every_kind_of_data_is_drawn_and_inspected(mode, run_async, data):
    async def body() -> None:
        mode.change_field("data", data)
        await mode.settled()
        await mode.runner.steps(4)
        await mode.settled()
        assert not mode.view.network.grab().isNull() and mode.view.states.state == "ready"
        told: list[Any] = []
        mode.inspection.connect(told.append)
        drawing = mode.view.network
        for element in (None, Neuron(0, 0), Neuron(1, 0), Neuron(2, 0), Weight(2, 0, 0)):
            drawing.set_choice(element)
            mode.inspect()
            assert told[-1].title
        assert drawing.describe() and drawing.accessibleDescription()

    run_async(body())


def test_one_step_and_one_dead_neuron_are_counted_in_the_singular(qtbot):
    picture = NetworkPicture()
    qtbot.addWidget(picture)
    keyframe = Training(NetworkDraft(hidden=(2,), activation="relu")).one_step()
    first, *others = keyframe.layers
    layers = (replace(first, dead=np.array([True, False])), *others)
    picture.set_keyframe(replace(keyframe, layers=layers))
    assert picture.describe() == "2-2-1 network after 1 step, 1 dead neuron"


def test_a_point_is_followed_through_the_network_as_it_becomes_another(mode, run_async):
    async def body() -> None:
        drawing = mode.view.network
        mode.follow(3)
        await mode.settled()
        mode.player.seek(mode.player.length - 1)
        before = drawing.sample_scene
        mode.view.layersRequested.emit(-1)
        await mode.settled()
        assert mode.sample.sizes == (2, 8, 1) and mode.sample.number == 3
        drawing.set_sample_scene(before)  # as it is while the new one is on its way
        assert drawing.shown_scene is None and not drawing.grab().isNull()

    run_async(body())


def test_what_comes_out_covers_neither_points_nor_neurons(mode, run_async):
    from explorer.panes.backprop.network.draw_sample import output_box, output_lines

    async def body() -> None:
        mode.follow(3)
        await mode.settled()
        sample, drawing = mode.sample, mode.view.network
        for width, height in ((420, 200), (600, 340), (900, 500)):
            drawing.resize(width, height)
            for at in range(len(sample)):
                mode.on_position(float(at))
                layout, lines = drawing.layout_now, output_lines(drawing.sample_scene, 248)
                assert len(lines) <= 2
                box = output_box(layout, 2)
                assert box.top() >= 0 and box.bottom() <= layout.plane[1]
                assert all(box.left() >= one[0] + one[2] for one in layout.boxes[-1])
        assert all(name in " ".join(lines) for name in ("z3 = ", "\u2202L/\u2202z3", "loss L"))

    run_async(body())


def test_a_neuron_that_nothing_ran_through_has_weights_and_no_step():
    """Its line computes: without numbers it could not be written."""
    keyframe = Training(NetworkDraft()).one_step()
    element = Neuron(1, 4)
    ran = inspector.of_keyframe(keyframe, element, True)
    assert str(arithmetic(ran.step))
    still = inspector.of_keyframe(replace(keyframe, passed=()), element, True)
    assert still.step is None and still.title == ran.title
    assert len(still.rows) == len(keyframe.weights[0]) + 1


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "linear"])
def test_a_neurons_formula_lines_and_numbers_belong_together(norm, activation):
    training = Training(NetworkDraft(norm=norm, activation=activation))
    keyframe = [training.one_step() for _ in range(3)][-1]
    point, network = training.data.train.points[:1], training.learner.network.detached()
    for element in (Neuron(1, 4), Neuron(2, 1), Neuron(3, 0)):
        shown = inspector.of_keyframe(keyframe, element, True)
        with MarkedLines() as watched:
            layers = network.layers(point)
        frames = [
            {name: getattr(value, "data", value) for name, value in frame.items()}
            for frame in watched.locals[shown.step.code]
        ]
        assert any(
            all(np.array_equal(frame[key], shown.step.value(key)) for key in shown.step.values)
            for frame in frames
        )
        told = {row.name: row for row in shown.rows if hasattr(row, "name")}
        terms, bias = told["\u03a3 w \u00d7 x"], told["b"].value
        product = float(np.dot(terms.left, terms.right))
        ends = element.column == 3
        if norm == "none" or ends:
            assert product + bias == pytest.approx(told["z"].value)
        else:
            normed = (product - told["\u03bc"].value) / told["\u221a(\u03c3\u00b2 + \u03b5)"].value
            assert told["g"].value * normed + bias == pytest.approx(told["z"].value)
        last = told["z" if ends else "a"]
        assert last.value == layers[element.column - 1].out.data[0, element.number]
        assert last.role == "accent"


def test_below_each_column_stands_whose_values_and_gradients_its_numbers_are(qapp):
    from explorer.panes.backprop.network.draw_sample import caption, letters
    from explorer.panes.backprop.network.sample_scene import SampleScenes

    training = Training(NetworkDraft())
    sample = training.sample(3, *training.data.points[3], float(training.data.targets[3]))
    scenes, seen = SampleScenes(sample), []
    for index in range(len(sample)):
        scene = scenes.at(index)
        told = (caption(scene, 2), letters(scene, 2, True), letters(scene, 2, False))
        if told not in seen:
            seen.append(told)
    slopes = ("\u2202L/\u2202a2", "\u2202L/\u2202z2")
    assert seen == [
        ("layer 2", "", ""),
        ("layer 2: sums", "u2", "u2"),
        ("layer 2: sums", "z2", "z2"),
        ("layer 2: output", "a2", "a2"),
        ("layer 2: output", f"a2, {slopes[0]}", slopes[0]),
        ("layer 2: sums", f"z2, {slopes[1]}", slopes[1]),
    ]


def test_each_number_of_a_followed_point_stands_on_the_color_of_its_own_sign(mode, run_async):
    """A gradient stood on the color of the value above it, and told another sign and size."""
    from explorer import theme
    from explorer.panes.backprop.network.colors import sign_color
    from explorer.panes.backprop.network.draw_sample import lines_of

    def away(one, other):
        pairs = zip(one.getRgb()[:3], other.getRgb()[:3], strict=True)
        return sum(abs(a - b) for a, b in pairs)

    def warmth(color):
        """Above 0 for what is more orange than the surface, below for what is more blue."""
        surface = theme.current().color("surface")
        return (color.redF() - color.blueF()) - (surface.redF() - surface.blueF())

    async def body() -> None:
        await mode.runner.steps(40)
        mode.follow(3)
        await mode.settled()
        mode.player.end()
        await mode.settled()
        scene, surface = mode.view.network.sample_scene, theme.current().color("surface")
        low, tall, kinds = (0.0, 0.0, 90.0, 12.0), (0.0, 0.0, 90.0, 80.0), set()
        for column in (1, 2):
            slopes = scene.gradients[column]
            for number, slope in enumerate(slopes):
                value = scene.values[column][number]
                first, second = lines_of(tall, scene, column, number)
                (only,) = lines_of(low, scene, column, number)
                assert only[1] == second[1] and "\u2202" in second[0]
                for told, (_, ground) in ((value, first), (slope, second)):
                    assert warmth(ground) * warmth(sign_color(told)) > 0
                kinds.add(value * slope > 0)
            largest = int(np.abs(slopes).argmax())
            grounds = [lines_of(low, scene, column, at)[0][1] for at in range(len(slopes))]
            distances = [away(one, surface) for one in grounds]
            assert max(distances) == distances[largest] > 60
            assert min(distances) == distances[int(np.abs(slopes).argmin())]
        assert kinds == {True, False}

    run_async(body())


def test_no_number_is_cut_off_by_the_sides_of_its_neuron(qapp):
    from explorer import theme
    from explorer.panes.backprop.network.draw_sample import fitting

    metrics = theme.current().metrics(12.0, 600)
    for value in (-0.0165, 0.00692, -123.4, -1.25, 8.4e-4, -2.3e-8, 0.0):
        for before in ("", "\u2202 "):
            text = fitting(value, before, 44.0)
            assert metrics.horizontalAdvance(text) <= 44.0
            shown = float(text.removeprefix("\u2202").strip().replace("\u2212", "-"))
            assert shown == pytest.approx(value, rel=0.5)
    assert fitting(-0.0165, "", 88.0) == "\u22120.0165"


def test_a_followed_point_that_is_gone_is_followed_no_more(mode, run_async):
    async def follow(number: int) -> Any:
        mode.follow(number)
        await mode.settled()
        return mode.sample

    async def body() -> None:
        sample = await follow(3)
        mode.remove_point(1)
        await mode.settled()
        assert mode.sample.number == 2, "it is the same point, under another number"
        assert mode.sample.point == sample.point
        mode.remove_point(2)
        await mode.settled()
        assert mode.sample is None and "class" not in mode.headline
        assert not mode.inputs.back.isVisible()
        await follow(3)
        mode.change_field("data", "yin-yang")
        await mode.settled()
        assert mode.sample is None and mode.view.network.sample_scene is None
        await follow(3)
        mode.change_field("activation", "relu")
        await mode.settled()
        assert mode.sample.number == 3

    run_async(body())


def test_while_a_point_is_followed_a_click_beside_one_adds_none(mode, run_async):
    async def body() -> None:
        told: list[str] = []
        mode.statusRequested.connect(told.append)
        mode.follow(3)
        await mode.settled()
        mode.view.network.pointAdded.emit(-1.1, -1.1)
        assert mode.draft.value.added == () and "Esc" in told[-1]
        mode.leave_sample()
        mode.view.network.pointAdded.emit(-1.1, -1.1)
        assert len(mode.draft.value.added) == 1

    run_async(body())


def test_the_panel_says_of_what_its_gradients_are_and_how_large(qapp):
    from explorer.panes.backprop.network.histograms import Histograms

    training = Training(NetworkDraft(points=2))
    picture = Histograms()
    picture.set_layers(training.one_step().layers)
    told = picture.told(1, 2)
    assert told.startswith("output: dL/da") and "deviation 0" in told
    assert "output: gradient size" in picture.describe()
    picture.deleteLater()
