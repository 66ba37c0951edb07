"""A graph can be read: in sight, by widths that mean something, with nothing on top of a number."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import QRectF, QSizeF

from explorer.panes.backprop.expression.camera import LEGIBLE
from explorer.panes.backprop.expression.computing import compute
from explorer.panes.backprop.expression.draw_edges import (
    STRONGEST,
    THIN,
    width_for,
    width_of,
)
from explorer.panes.backprop.expression.draw_legend import HEIGHT
from explorer.panes.backprop.expression.draw_more import sides_of
from explorer.panes.backprop.expression.draw_motion import _free_place, subject
from explorer.panes.backprop.expression.draw_nodes import node_box
from explorer.panes.backprop.expression.examples import EXAMPLES
from explorer.panes.backprop.expression.faces import MOST_FANNED
from explorer.panes.backprop.expression.graph_picture import GraphPicture
from explorer.panes.backprop.expression.scene import instant_at, scene_of
from explorer.panes.backprop.expression.ways import ways_of

WIDE, LOW = (958, 400), (975, 222)  # what the graph has in a window of 1440 x 900, of 1100 x 680


def scene(name, **values):
    one = next(one for one in EXAMPLES if one.id == name)
    return scene_of(compute(one.text, {**one.values, **values}))


def shown(qtbot, made, size):
    picture = GraphPicture()
    qtbot.addWidget(picture)
    picture.resize(*size)
    picture.set_scene(made)
    return picture


def cut(picture):
    layout, height = picture.scene.layout, picture.height() - HEIGHT
    return sides_of(picture.camera, (layout.width, layout.height), (picture.width(), height))


def test_a_gradient_that_vanishes_is_drawn_thin():
    awake, saturated = scene("neuron"), scene("neuron", w1=-1.0)
    edge = next(edge for edge in awake.peaks if edge[0] == len(awake.faces) - 1)
    assert abs(awake.peaks[edge]) > 0.4 and abs(saturated.peaks[edge]) < 1e-3
    assert width_of(awake, edge) > 3 and width_of(saturated, edge) < THIN + 0.1


def test_widths_count_powers_of_ten():
    widths = [width_for(10.0**power) for power in range(-5, 6)]
    assert widths[:3] == [THIN] * 3 and widths[-3:] == [STRONGEST] * 3
    steps = [b - a for a, b in pairwise(widths[2:9])]
    assert steps == pytest.approx([1.0] * 6) and width_for(-1.0) == width_for(1.0)
    assert width_for(0.0) == THIN and width_for(float("inf")) == STRONGEST


@pytest.mark.parametrize("name", ["micrograd", "twice", "entropy"])
def test_contributions_of_several_uses_stand_apart(name):
    made = scene(name)
    ways = ways_of(made)
    for number, uses in enumerate(made.uses):
        if 1 < len(uses) <= MOST_FANNED:
            heights = [ways.paths[edge].elementAt(0).y for edge in uses]
            assert all(b - a >= 13 for a, b in pairwise(sorted(heights))), number
            box = node_box(made, number)
            assert box.top() < min(heights) and max(heights) < box.bottom()


@pytest.mark.parametrize("name", ["neuron", "twice", "error", "entropy", "attention", "infinite"])
def test_what_fits_is_shown_whole(qtbot, name):
    picture = shown(qtbot, scene(name), WIDE)
    assert picture.camera.scale >= LEGIBLE
    assert cut(picture) == []


def test_what_does_not_fit_is_told(qtbot):
    picture = shown(qtbot, scene("micrograd"), WIDE)
    assert cut(picture) == ["right"]
    picture.fit()
    assert cut(picture) == []


def test_a_low_window_still_has_numbers_to_read(qtbot):
    assert shown(qtbot, scene("neuron"), LOW).camera.scale > 0.7


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
        place = _free_place(
            made,
            ways_of(made),
            instant,
            QSizeF(160 * unit, 26 * unit),
            QRectF(left, top, right - left, bottom - top),
            8 * unit,
        )
        about = node_box(made, subject(made, instant))
        assert not place.intersects(about.adjusted(4, 4, -4, -4)), moment
        if size == WIDE:
            boxes = [node_box(made, one).adjusted(4, 4, -4, -4) for one in range(len(made.faces))]
            assert not any(place.intersects(box) for box in boxes), moment
