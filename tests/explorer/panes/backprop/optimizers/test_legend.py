"""The legend below the map, and the arrows at the head of the chosen optimizer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF

from core.optimization.optimizers import OPTIMIZERS
from explorer.panes.backprop.optimizers.draft import TYPED, OptimizersDraft
from explorer.panes.backprop.optimizers.draw_legend import places_of
from explorer.panes.backprop.optimizers.draw_trails import at_edge
from explorer.panes.backprop.optimizers.scene import arrow_length, bar_share


def test_the_legend_names_who_races_and_what_is_known_of_the_surface(mode, change):
    change(OptimizersDraft("beale", racers=("sgd", "lion")))
    view = mode.view.map
    assert [one.text for one in view.legend] == ["SGD", "Lion", "start", "minimum", "saddle"]
    mode.choose("lion")
    assert [one.text for one in view.legend if one.strong] == ["Lion"]
    change(OptimizersDraft(TYPED, "x + y", racers=("adam",)))
    assert [one.text for one in view.legend] == ["Adam", "start"]


@pytest.mark.parametrize("width", [200, 480, 900])
def test_the_legend_takes_as_many_lines_as_it_needs_and_the_map_the_rest(mode, change, width):
    change(OptimizersDraft("beale", racers=tuple(OPTIMIZERS)))
    view = mode.view.map
    view.setFixedSize(width, 400)
    view.resize(width, 400)
    places = places_of(view.legend, view.strip.width())
    assert len(places) == len(OPTIMIZERS) + 3
    for number, place in enumerate(places):
        assert QRectF(0, 0, view.strip.width(), view.strip.height()).contains(place)
        assert not any(place.intersects(other) for other in places[number + 1 :])
    assert view.area.bottom() == view.strip.top() and view.strip.bottom() == 400
    left, right, bottom, top = view.surface.span
    for corner in ((left, bottom), (right, top)):  # all of the surface is in view
        x, y = view.seen(np.array(corner))
        assert -1e-6 <= x <= width + 1e-6 and -1e-6 <= y <= view.area.height() + 1e-6


def test_a_pointer_over_a_head_names_it(mode, change):
    change(OptimizersDraft("ravine", racers=("sgd", "adam"), steps=40))
    mode.player.seek(10)
    view = mode.view.map
    for trail in view.trails():
        assert view.said_at(trail.head).startswith(f"{trail.title}: height ")
    start = view.said_at(QPointF(*view.seen(view.start)))
    assert start.startswith("height 38.5 at (\u22124, 1.50)") and "Drag the start" in start
    assert view.said_at(QPointF(5, view.height() - 2)) is None  # the legend


def test_all_that_the_chosen_one_remembers_has_its_letter(mode, change):
    change(OptimizersDraft("ravine", racers=("adam", "adagrad", "sgd"), steps=20))
    mode.player.seek(2)
    for name, letters in (
        ("adam", ("downhill", "\u2212m", "\u221av\u0302")),
        ("adagrad", ("downhill", "", "\u221av")),
        ("sgd", ("downhill", "", "")),
    ):
        mode.choose(name)
        assert mode.view.map.arrows.letters == letters
        assert not mode.view.map.grab().isNull() and mode.view.map.broken is None


def test_what_is_smaller_by_four_decades_is_not_drawn():
    assert arrow_length(1.0, 1.0) == 84 and arrow_length(2.0, 1.0) == 84
    assert 0 < arrow_length(2e-4, 1.0) < 20
    assert bar_share(-1.0, 1.0) == -1 and bar_share(0.01, 1.0) == pytest.approx(0.5)
    for size in (1e-4, 1e-9, 0.0, math.nan, math.inf):
        assert arrow_length(size, 1.0) == 0 and (bar_share(size, 1.0) == 0 or size == 1e-4)


def test_a_head_out_of_view_is_pointed_to_at_the_edge(mode, change):
    frame = QRectF(0, 0, 400, 100)
    for head in (QPointF(900, 50), QPointF(-50, 900), QPointF(1e7, -1e7)):
        assert frame.contains(at_edge(head, frame))
    change(OptimizersDraft(TYPED, "x + y", racers=tuple(OPTIMIZERS)))
    mode.player.seek(200)
    assert any(not mode.view.map.area.contains(trail.head) for trail in mode.view.map.trails())
    assert not mode.view.map.grab().isNull() and mode.view.map.broken is None
