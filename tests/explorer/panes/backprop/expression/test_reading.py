"""A graph can be read: in sight, by widths that mean something, with nothing on top of a number."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QRectF, QSizeF

from core.autograd import NumericGradient
from explorer import theme
from explorer.panes.backprop.expression import (
    draw_edges,
    draw_legend,
    draw_motion,
    draw_nodes,
    draw_overflow,
)
from explorer.panes.backprop.expression.arithmetic_place import arithmetic_place
from explorer.panes.backprop.expression.compute import compute
from explorer.panes.backprop.expression.draw_edges import (
    STRONGEST,
    THIN,
    width_for,
)
from explorer.panes.backprop.expression.draw_legend import HEIGHT
from explorer.panes.backprop.expression.draw_nodes import node_box
from explorer.panes.backprop.expression.draw_overflow import hidden
from explorer.panes.backprop.expression.edge_routing import routes_of
from explorer.panes.backprop.expression.graph_picture import GraphPicture
from explorer.panes.backprop.expression.node_geometry import MOST_FANNED
from explorer.panes.backprop.expression.presets import EXAMPLES
from explorer.panes.backprop.expression.scene import instant_at, scene_of, subject_at
from explorer.panes.backprop.expression.viewport import READABLE
from explorer.widgets.base import put_text
from tests.explorer.panes.backprop.expression.conftest import show

WIDE, LOW = (951, 418), (975, 233)  # what the graph has in a window of 1440 x 900, of 1100 x 680
HIGH = ("micrograd", "matrices", "shapes")  # examples that a low window does not show whole


def scene(name, **values):
    one = next(one for one in EXAMPLES if one.id == name)
    return scene_of(compute(one.text, {**one.values, **values}))


def shown(qtbot, made, size):
    picture = GraphPicture()
    qtbot.addWidget(picture)
    picture.resize(*size)
    show(picture, made)
    return picture


def cut(picture):
    layout, height = picture.scene.layout, picture.height() - HEIGHT
    return list(hidden(picture.camera, layout, (picture.width(), height)))


def test_a_gradient_that_vanishes_is_drawn_thin():
    awake, saturated = scene("neuron"), scene("neuron", w1=-1.0)
    edge = next(edge for edge in awake.peaks if edge[0] == len(awake.nodes) - 1)
    assert abs(awake.peaks[edge]) > 0.4 and abs(saturated.peaks[edge]) < 1e-3
    assert width_for(awake.peaks[edge]) > 3
    assert width_for(saturated.peaks[edge]) < THIN + 0.1


def test_widths_count_powers_of_ten():
    widths = [width_for(10.0**power) for power in range(-5, 6)]
    assert widths[:3] == [THIN] * 3 and widths[-3:] == [STRONGEST] * 3
    steps = [b - a for a, b in pairwise(widths[2:9])]
    assert steps == pytest.approx([1.0] * 6) and width_for(-1.0) == width_for(1.0)
    assert width_for(0.0) == THIN and width_for(float("inf")) == STRONGEST


@pytest.mark.parametrize("name", ["micrograd", "twice", "entropy"])
def test_contributions_of_several_uses_stand_apart(name):
    made = scene(name)
    ways = routes_of(made)
    for number, uses in enumerate(made.uses):
        if 1 < len(uses) <= MOST_FANNED:
            heights = [ways.by_edge[edge].begin[1] for edge in uses]
            assert all(b - a >= 13 for a, b in pairwise(sorted(heights))), number
            box = node_box(made, number)
            assert box.top() < min(heights) and max(heights) < box.bottom()


@pytest.mark.parametrize("size", [WIDE, LOW])
@pytest.mark.parametrize("name", [one.id for one in EXAMPLES])
def test_every_example_is_shown_whole_and_large_enough_to_read(qtbot, name, size):
    picture = shown(qtbot, scene(name), size)
    assert picture.camera.scale >= READABLE
    if size == WIDE or name not in HIGH:
        assert cut(picture) == []
        room = QRectF(0, 0, size[0], size[1] - HEIGHT)
        for number in range(len(picture.scene.nodes)):
            box = node_box(picture.scene, number)
            x, y = picture.camera.seen(box.left(), box.top())
            scale = picture.camera.scale
            assert room.contains(QRectF(x, y, box.width() * scale, box.height() * scale))
    else:
        assert set(cut(picture)) <= {"above", "below"}  # it is read on like a text


@pytest.mark.parametrize("name", [one.id for one in EXAMPLES])
def test_every_gradient_that_agrees_has_a_tick(qtbot, monkeypatch, name):
    picture = shown(qtbot, scene(name), WIDE)
    assert picture.camera.scale >= READABLE and cut(picture) == []
    computed, words = picture.scene.computed, []
    monkeypatch.setattr(draw_nodes, "put_text", lambda *what: words.append(what[2]))
    gradients = {
        n: one for n in range(len(picture.scene.nodes)) if (one := computed.gradient(n)) is not None
    }
    picture.set_numeric(
        {n: NumericGradient(one, np.zeros_like(one)) for n, one in gradients.items()}
    )
    picture.set_position(len(computed.plan) - 1.0)
    picture.grab()
    finite = [one for one in gradients.values() if np.isfinite(one).all()]
    assert sum(text.endswith("\u2713") for text in words) == len(finite) > 0


@pytest.mark.parametrize("name", [one.id for one in EXAMPLES])
def test_no_text_is_smaller_than_11_pixels(qtbot, monkeypatch, name):
    picture = shown(qtbot, scene(name), LOW)
    sizes = []

    def put(painter, box, text, font, *rest):
        sizes.append(font.pixelSize() * painter.worldTransform().m11())
        put_text(painter, box, text, font, *rest)

    for module in (draw_edges, draw_legend, draw_overflow, draw_motion, draw_nodes):
        monkeypatch.setattr(module, "put_text", put)
    picture.set_position(len(picture.scene.computed.plan) - 1.0)
    picture.set_choice(0)
    picture.grab()
    assert len(sizes) > 5 and min(sizes) >= 11


@pytest.mark.parametrize("name", HIGH)
def test_what_does_not_fit_into_a_low_window_is_shown_row_by_row(qtbot, name):
    picture = shown(qtbot, scene(name), LOW)
    layout = picture.scene.layout
    assert all(bottom - top <= LOW[1] - HEIGHT for top, bottom in layout.rows)


def test_what_does_not_fit_is_told_with_how_many_nodes_there_are(qtbot):
    picture = shown(qtbot, scene("micrograd"), LOW)
    assert cut(picture) == ["below"]
    layout, room = picture.scene.layout, (LOW[0], LOW[1] - HEIGHT)
    below = [box for box in layout.places if picture.camera.seen(0, box[1])[1] > room[1]]
    assert hidden(picture.camera, layout, room) == {"below": len(below)}
    picture.fit()
    assert cut(picture) == []


def test_the_arithmetic_and_the_view_do_not_move_what_is_whole(qtbot):
    picture = shown(qtbot, scene("micrograd"), WIDE)
    camera = picture.camera
    for moment in range(len(picture.scene.computed.plan)):
        picture.set_position(float(moment))
        assert picture.camera == camera


def test_a_low_window_follows_from_row_to_row(qtbot):
    picture = shown(qtbot, scene("micrograd"), LOW)
    made = picture.scene
    for moment in range(1, len(made.computed.plan)):
        picture.set_position(float(moment))
        box = node_box(made, subject_at(made.computed, moment))
        top, bottom = (picture.camera.seen(0, y)[1] for y in (box.top(), box.bottom()))
        assert top >= 0 and bottom <= LOW[1] - HEIGHT, moment
    theme.changed.emit()  # the view is fitted anew, and still follows
    top = picture.camera.seen(0, node_box(made, subject_at(made.computed, moment)).y())
    assert 0 <= top[1] <= LOW[1]


def test_a_long_sum_begins_in_sight(qtbot):
    made = scene_of(compute(" + ".join(f"x{one}*{one}" for one in range(1, 60)), {}))
    picture = shown(qtbot, made, WIDE)
    box = node_box(made, 0)
    x, y = picture.camera.seen(box.left(), box.top())
    assert 0 <= x <= WIDE[0] and 0 <= y <= WIDE[1] - HEIGHT


@pytest.mark.parametrize("size", [WIDE, LOW])
@pytest.mark.parametrize("name", ["neuron", "twice", "micrograd"])
def test_the_arithmetic_hides_no_number_of_its_node(qtbot, name, size):
    picture = shown(qtbot, scene(name), size)
    made = picture.scene
    for moment in range(1, len(made.computed.plan)):
        picture.set_position(float(moment))
        instant = instant_at(made.computed, moment)
        camera = picture.camera
        left, top = camera.at(0, 0)
        right, bottom = camera.at(size[0], size[1] - HEIGHT)
        unit = 1 / camera.scale
        place = arithmetic_place(
            made,
            routes_of(made),
            instant,
            QSizeF(160 * unit, 26 * unit),
            QRectF(left, top, right - left, bottom - top),
            8 * unit,
        )
        about = node_box(made, subject_at(made.computed, instant.moment))
        assert not place.intersects(about.adjusted(4, 4, -4, -4)), moment
        if size == WIDE:
            boxes = [node_box(made, one).adjusted(4, 4, -4, -4) for one in range(len(made.nodes))]
            assert not any(place.intersects(box) for box in boxes), moment


@pytest.mark.parametrize("width", [160, 200])
def test_the_arithmetic_stands_beside_its_step_and_not_two_boxes_away(qtbot, width):
    """Where the room is just as high as the column of inputs."""
    size = (1000, 290)
    picture = shown(qtbot, scene("neuron"), size)
    made = picture.scene
    for moment, place in enumerate(made.computed.plan.places):
        if place is None or place.phase != "backward":
            continue
        picture.set_position(float(moment))
        camera = picture.camera
        (left, top), (right, bottom) = camera.at(0, 0), camera.at(size[0], size[1] - HEIGHT)
        unit = 1 / camera.scale
        room = QRectF(left, top, right - left, bottom - top)
        words = QSizeF(width * unit, 26 * unit)
        box = arithmetic_place(
            made, routes_of(made), instant_at(made.computed, moment), words, room, 8 * unit
        )
        near = [
            node_box(made, one).adjusted(-40, -40, 40, 40)
            for one in (place.node, subject_at(made.computed, moment))
        ]
        assert any(box.intersects(one) for one in near), moment
