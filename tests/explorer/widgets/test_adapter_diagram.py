"""The diagram of an adapted matrix: true proportions, and what comes is seen on its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from explorer import theme
from explorer.widgets.diagrams.adapter import ALL, AdapterLayout, alike, draw_adapter
from explorer.widgets.diagrams.scenes import MOST, AdapterScene, Content, drawn_rows

AREA = QRectF(0, 0, 560, 320)
SIZE = (90, 60, 2)


@pytest.fixture
def moving(qapp: QApplication) -> Iterator[None]:
    before = theme.current().motion
    theme.set_motion(qapp, "full")
    yield
    theme.set_motion(qapp, before)


def scene(**changes: object) -> AdapterScene:
    rng = np.random.default_rng(3)
    shapes = {"W": (90, 60), "A": (2, 60), "B": (90, 2), "x": (1, 60), "a": (1, 2), "h": (90, 1)}
    now = {name: Content(name, rng.normal(size=shape)) for name, shape in shapes.items()}
    delta = Content("B A", now["B"].values @ now["A"].values)
    after, places = now | {"delta": delta}, frozenset(ALL)
    plain = AdapterScene(SIZE, now, after, "a", "", 0.0, None, (), False, 5, None, places)
    return replace(plain, **changes)


def pixels(shown: AdapterScene, place: str) -> np.ndarray:
    """(H, W) what is painted inside a place."""
    image = QImage(560, 320, QImage.Format.Format_RGB32)
    image.fill(theme.current().color("surface"))
    painter = QPainter(image)
    layout = AdapterLayout(AREA, SIZE)
    draw_adapter(painter, layout, shown)
    painter.end()
    rect = layout.places[place].adjusted(3, 3, -3, -3).toRect()
    packed = np.frombuffer(image.constBits(), np.uint32).reshape(320, 560)
    return packed[rect.top() : rect.bottom(), rect.left() : rect.right()].copy()


def test_all_matrices_have_one_scale_and_nothing_leaves_the_area(qapp: object) -> None:
    for size in (SIZE, (60, 240, 8), (4096, 4096, 64), (30, 30, 30)):
        places = AdapterLayout(AREA, size).places
        out, wide, r = size
        scale = places["W"].width() / wide
        assert places["W"].height() == pytest.approx(out * scale)
        assert places["delta"].size() == places["W"].size()
        assert places["A"].width() == places["x"].width() == places["W"].width()
        assert places["B"].height() == places["h"].height() == places["W"].height()
        assert places["A"].height() == places["B"].width() == pytest.approx(max(r * scale, 2))
        assert all(AREA.contains(place) for place in places.values()), size
        assert places["x, again"].bottom() < places["A"].top() < places["delta"].top()
        if size[1] > 2 * size[0]:  # wide ones stand below one another
            assert places["W"].bottom() < places["delta"].top()
            assert places["a"].left() == places["B"].left() > places["delta"].right()
        else:
            assert places["W"].right() < places["delta"].left()
            assert places["a"].right() == pytest.approx(places["B"].right())


def test_a_place_under_the_pointer_is_found(qapp: object) -> None:
    layout = AdapterLayout(AREA, SIZE)
    place = layout.places["delta"]
    name, down, across = layout.at(place.center()) or ("", 0.0, 0.0)
    assert (name, round(down, 6), round(across, 6)) == ("delta", 0.5, 0.5)
    again = layout.at(layout.places["x, again"].center())
    assert again is not None and again[0] == "x"
    assert layout.at(AREA.topLeft()) is None


def test_a_product_grows_direction_by_direction(moving: None) -> None:
    empty = pixels(scene(), "delta")
    one = scene().now["B"].values[:, :1] @ scene().now["A"].values[:1]
    coming = {"coming": "delta", "way": 0.5}
    grown = pixels(scene(**coming, grown=one), "delta")
    whole = pixels(scene(now=scene().after), "delta")
    assert (grown != empty).mean() > 0.5 and (grown != whole).mean() > 0.2
    half = pixels(scene(**coming), "delta")  # without directions: from the top
    middle = len(half) // 2 - 3
    assert (half[:middle] == whole[:middle]).mean() > 0.9
    assert (half[-middle:] == empty[-middle:]).mean() > 0.9


def test_one_direction_is_seen_alone(qapp: object) -> None:
    alone = Content("direction 1", np.ones((90, 60)))
    shown = pixels(scene(now=scene().after, alone=alone), "delta")
    assert len(np.unique(shown)) <= 3  # one color, and the line of the output


def test_a_large_matrix_is_drawn_by_evenly_spread_rows() -> None:
    rows = drawn_rows(np.arange(1000.0)[:, None])[:, 0]
    assert len(rows) == MOST and (rows[0], rows[-1]) == (0, 999) and (np.diff(rows) >= 3).all()
    assert Content("W", np.zeros((300, 10))).thumb.shape == (MOST, 10)


def test_numbers_beside_one_another_have_as_many_decimals(qapp):
    metrics = theme.current().metrics("rail")
    room = metrics.horizontalAdvance("\u22120.00") + 0.5
    assert alike([1.21, -0.6, 0.455], metrics, room) == ["1.21", "\u22120.60", "0.46"]
    assert alike([1.21, -12.6], metrics, room) == ["1.2", "\u221212.6"]
    assert alike([0.002, 0.0], metrics, 99) == ["0.00200", "0"]
