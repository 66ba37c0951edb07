"""The map: level lines where the heights are, ways that are kept, and what hands do to it."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from core.jobs import to_the_end
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.surfaces import SURFACES
from core.optimization.typed_surface import typed_surface
from explorer import theme
from explorer.panes.backprop.optimizers.compute import Recording, record
from explorer.panes.backprop.optimizers.contour import Inks, contour_steps, contours, levels_of
from explorer.panes.backprop.optimizers.draft import OptimizersDraft
from explorer.panes.backprop.optimizers.draw_surface import bar_box
from explorer.panes.backprop.optimizers.line_style import color_of, is_dashed
from explorer.panes.backprop.optimizers.text import plain
from explorer.panes.backprop.optimizers.view import OptimizersView
from explorer.panes.backprop.optimizers.viewport import Viewport, fitting
from explorer.widgets import encoding, rendering

INKS = Inks((255, 255, 255), (200, 200, 200), (0, 0, 0), (90, 90, 90))


@pytest.mark.parametrize("name", SURFACES)
def test_level_lines_lie_where_the_surface_has_their_height(name):
    surface = SURFACES[name]
    drawn = contours(surface, surface.span, 300, 240, 1.0, INKS)
    assert 6 <= drawn.levels.size <= 12 and (np.diff(drawn.levels) > 0).all()
    assert drawn.labels
    left, right, bottom, top = surface.span
    for label in drawn.labels:
        x, y = left + label.x * (right - left), top - label.y * (top - bottom)
        near = surface.value(x, y)
        gaps = np.abs(drawn.levels - near)
        assert drawn.levels[gaps.argmin()] == label.value


def test_where_a_surface_has_no_height_the_map_is_hatched():
    surface = typed_surface("log(x) + y**2")
    drawn = contours(surface, (-2, 2, -2, 2), 200, 200, 1.0, INKS)
    left, right = drawn.pixels[:, :95], drawn.pixels[:, 110:]
    assert set(np.unique(left)) == {0xFFFFFFFF, 0xFF5A5A5A}
    assert 0xFF5A5A5A not in right and drawn.is_finite
    nothing = contours(typed_surface("sqrt(-1 - x**2)"), (-2, 2, -2, 2), 50, 50, 1.0, INKS)
    assert not nothing.is_finite and nothing.labels == ()


def test_a_map_is_drawn_in_parts_between_which_others_have_their_turn():
    surface = SURFACES["rosenbrock"]
    drawing = contour_steps(surface, surface.span, 700, 500, 1.0, INKS)
    shares = []
    try:
        while True:
            shares.append(next(drawing))
    except StopIteration as ended:
        drawn = ended.value
    assert len(shares) > 10 and shares[-1] == 1.0
    whole = contours(surface, surface.span, 700, 500, 1.0, INKS)
    np.testing.assert_array_equal(drawn.pixels, whole.pixels)
    assert drawn.labels == whole.labels and drawn.labels
    hatched = contours(typed_surface("sqrt(x)"), (-2, 2, -2, 2), 1200, 900, 1.0, INKS).pixels[
        :, :100
    ]
    np.testing.assert_array_equal(hatched[8:], hatched[:-8])  # across the parts


@pytest.mark.parametrize("zoom", [1.25, pytest.param(1.0, marks=pytest.mark.full)])
def test_no_height_of_a_level_reaches_under_tools_bar_or_numbers(qapp, qtbot, zoom):
    now = theme.current()
    theme.apply(qapp, now.name, zoom, "off")
    try:
        host = QWidget()
        qtbot.addWidget(host)
        tools = OptimizersView(host).tools
        tools.adjustSize()
        wide = theme.current().metrics("label").horizontalAdvance
        for name, surface in SURFACES.items():
            for size in ((682, 298), (660, 488), (918, 423)):
                span = fitting(surface.span, *size).span(*size)
                drawn = contours(surface, span, *size, 1.0, INKS, zoom)
                right = QRectF(size[0] - tools.width() - 5, 5, tools.width(), tools.height())
                bar = bar_box(drawn, QRectF(0, 0, *size))
                below = QRectF(0, size[1] - theme.current().px(20), *size)
                for label in drawn.labels:
                    half, turn = wide(plain(label.value)) / 2, np.radians(label.angle)
                    across, down = half * abs(np.cos(turn)) + 4, half * abs(np.sin(turn)) + 4
                    x, y = label.x * size[0], label.y * size[1]
                    box = QRectF(x - across, y - down, 2 * across, 2 * down)
                    over = [one for one in (right, bar, below) if box.intersects(one)]
                    assert over == [], (name, size, label)
    finally:
        theme.apply(qapp, now.name, now.zoom)


@pytest.mark.parametrize("height", [0.0, np.nan, np.inf, 1e300])
def test_a_flat_surface_has_no_levels(height):
    assert levels_of(np.full((4, 4), height)).size == 0


def test_the_point_under_the_pointer_stays_while_zooming():
    plane = fitting((-2, 2, -1, 3), 400, 300)
    before = plane.point(70, 250, 400, 300)
    np.testing.assert_allclose(
        plane.zoomed(3.0, 70, 250, 400, 300).point(70, 250, 400, 300), before
    )
    far = Viewport(0, 0, 50)
    for _ in range(500):
        far = far.zoomed(2.0, 10, 10, 400, 300)
    assert np.isfinite([far.x, far.y, far.scale]).all()


def image_of(view):
    image = QImage(view.size(), QImage.Format.Format_RGB32)
    view.render(image)
    bits = np.frombuffer(image.constBits(), np.uint8)
    return bits.reshape(image.height(), image.bytesPerLine())[:, : 4 * image.width()].copy()


def test_trails_that_are_kept_look_as_those_drawn_anew(mode, change):
    change(OptimizersDraft(racers=("sgd", "adam", "muon"), steps=60))
    view = mode.view.map
    view.thorough = True
    for step in (8, 16, 24, 32, 40):
        view.set_position(step)
        kept = image_of(view)
    view.layer.key = None
    assert np.abs(kept.astype(int) - image_of(view)).max() <= 1


def test_trails_of_a_race_that_is_gone_are_never_those_of_another(mode, change):
    view = mode.view.map
    course, entries = mode.recording.course, [("adam", mode.recording.lane("adam").settings)]
    view.set_position(20)

    def race(x: float) -> Recording:
        return to_the_end(record(replace(course, start=(x, 1.0), steps=20), entries, {}))

    for number in range(10):  # a race that nobody holds any more leaves its place to the next
        view.set_recording(race(-2.0 - number / 100))
        view.grab()
        view.set_recording(None)
        view.set_recording(race(2.0 + number / 100))
        view.grab()
        begin = view.layer.points["adam"][0]
        assert begin == pytest.approx(view.seen(np.array([2.0 + number / 100, 1.0])))


def test_in_a_hurry_trails_are_rough_and_then_drawn_well(mode, change, run_async):
    change(OptimizersDraft(racers=("sgd", "adam"), steps=300))
    view = mode.view.map
    view.set_position(300)
    view.hurry.start()
    view.grab()
    assert view.layer.done > 0

    async def body():
        await mode.settled()

    run_async(body())
    view.hurry.stop()
    view.grab()
    assert view.layer.done == 300


def test_the_start_is_dragged_and_moved_by_keys(mode, run_async):
    view = mode.view.map

    async def body():
        at = view.seen(view.start)
        place = QPoint(*np.round(at).astype(int).tolist())
        QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=place)
        QTest.mouseMove(view, place + QPoint(30, -10))
        assert view.moving
        view.grab()
        assert view.broken is None
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=place + QPoint(30, -10))
        await mode.settled()
        x, y = mode.draft.value.start
        np.testing.assert_allclose(
            (x, y), view.at(QPointF(place + QPoint(30, -10))), atol=2 / view.viewport.scale
        )
        assert mode.recording.course.start == (x, y) and not view.moving
        view.setFocus()
        QTest.keyClick(view, Qt.Key.Key_Right)
        await mode.settled()
        assert mode.draft.value.start[0] > x

    run_async(body())


def test_the_plane_is_moved_zoomed_and_fitted(mode, run_async):
    view = mode.view.map

    async def body():
        before = view.viewport
        QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(40, 60))
        QTest.mouseMove(view, QPoint(90, 60))
        QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(90, 60))
        np.testing.assert_allclose(view.viewport.x, before.x - 50 / before.scale)
        place = QPointF(50, 50)
        view.wheelEvent(
            QWheelEvent(
                place, place, QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
            )
        )  # fmt: skip
        assert view.viewport.scale > before.scale
        saved = mode.state()["plane"]
        QTest.keyClick(view, Qt.Key.Key_F)
        await mode.settled()
        assert view.viewport == before
        mode.restore({**mode.state(), "plane": saved})
        await mode.settled()
        assert [view.viewport.x, view.viewport.y, view.viewport.scale] == saved

    run_async(body())


def test_a_head_is_clicked_and_the_next_is_chosen_by_a_key(mode, change, run_async):
    change(OptimizersDraft(surface="ravine", racers=("sgd", "adam"), steps=40))
    mode.player.seek(10)
    view = mode.view.map
    trail = next(one for one in view.trails() if one.name == "sgd")

    async def body():
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=trail.head.toPoint())
        assert mode.chosen == "sgd"
        QTest.keyClick(view, Qt.Key.Key_N)
        assert mode.chosen == "adam"

    run_async(body())


def test_all_paths_are_a_csv_and_a_picture_of_vectors(mode, change):
    change(OptimizersDraft(racers=("sgd", "adam"), steps=12))
    lines = encoding.as_csv(mode.view.map.displayed()).splitlines()
    assert len(lines) == 14 and "Adam height" in lines[0]
    assert b"<svg" in rendering.svg(mode.view.map)


def test_what_comes_into_sight_is_drawn_roughly_at_once(mode, change, run_async):
    """No white frame around the map while the next one is drawn."""
    change(OptimizersDraft(surface="ravine", racers=("sgd",), steps=10))
    view, asked = mode.view.map, []

    def corner() -> QColor:
        return view.grab().toImage().pixelColor(view.width() // 2, round(view.area.height()) - 30)

    async def body():
        rough, whole = view.background.set_coarse, view.background.set_contours
        view.background.set_coarse = lambda one: (asked.append(("rough", one)), rough(one))
        view.background.set_contours = lambda one: (asked.append(("whole", one)), whole(one))
        view.zoom_by(0.4)
        white = corner()
        await mode.settled()
        assert [kind for kind, _ in asked] == ["rough", "whole"]
        for _, one in asked:
            assert one.span == view.span
        assert asked[0][1].pixels.size < asked[1][1].pixels.size / 15
        rough(asked[0][1])
        whole(None)
        rough(asked[0][1])
        assert corner() != white
        asked.clear()
        view.zoom_by(1.5)  # all of it has been drawn
        await mode.settled()
        assert [kind for kind, _ in asked] == ["whole"]

    run_async(body())


def lab(color) -> np.ndarray:
    """CIE L*a*b*, in which what is as far apart looks as different; white is D65."""
    shares = np.array(color.getRgb()[:3]) / 255
    light = np.where(shares > 0.04045, ((shares + 0.055) / 1.055) ** 2.4, shares / 12.92)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(to_xyz @ light / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("name", theme.NAMES)
def test_every_two_trails_are_told_apart(qapp, name):
    """By their color, or one is dashed."""
    before = theme.current()
    theme.apply(qapp, name)
    try:
        for one, other in combinations(OPTIMIZERS, 2):
            if is_dashed(one) == is_dashed(other):
                apart = np.linalg.norm(lab(color_of(one)) - lab(color_of(other)))
                assert apart > 30, (one, other, apart)
    finally:
        theme.apply(qapp, before.name)
