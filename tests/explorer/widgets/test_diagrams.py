"""Diagrams of a transformer, equations of matrices, bars and tables of bars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.equation import ALL, Symbol
from explorer import theme
from explorer.studio.gallery_diagrams import diagrams
from explorer.widgets.bar_table import BarRow, BarTable
from explorer.widgets.base import Picture
from explorer.widgets.diagrams.scenes import SpineScene, StepsScene
from explorer.widgets.diagrams.spine import SpineLayout
from explorer.widgets.matrix_equation import MatrixEquation
from explorer.widgets.pooling import Matrix, pool_signed
from explorer.widgets.sketch import Sketch
from explorer.widgets.stacked_bars import Bar, StackedBars
from tests.explorer.conftest import dispose
from tests.explorer.waiting import wait_until

AREA = QRectF(0, 0, 700, 300)


def test_pooling_keeps_what_is_farthest_from_zero_and_hides_what_is_infinite() -> None:
    values = np.array([[1.0, -3.0, 2.0, 0.5], [-np.inf, -np.inf, 0.1, -np.inf]])
    pooled = pool_signed(values, 2, 2)
    np.testing.assert_allclose(pooled, [[-3.0, 2.0], [np.nan, 0.1]], rtol=1e-6)
    assert pool_signed(values[:, :2], 8, 8).shape == (2, 2)


def equation() -> tuple[MatrixEquation, dict[str, np.ndarray]]:
    x, weight = np.arange(12.0).reshape(3, 4), np.arange(20.0).reshape(5, 4)
    values = {"x": x, "weight": weight, "made": x @ weight.T}
    symbols = [Symbol("x", "x", (2, ALL)), Symbol("weight", "weight", (1, ALL), turned=True),
             Symbol("="), Symbol("made", "made", (2, 1))]  # fmt: skip
    shapes = {name: (len(one), one.shape[1]) for name, one in values.items()}
    matrices = {name: Matrix.of(one) for name, one in values.items()}
    scene = StepsScene((), 0, symbols, shapes, matrices, rows=("a", "b", "c"))
    return MatrixEquation(AREA, scene), values


def test_matrices_stand_side_by_side_in_one_scale(qapp: object) -> None:
    made, _ = equation()
    x, weight, _, product = made.places
    assert x.left() >= 0 and product.right() <= AREA.right()
    assert x.right() < weight.left() < weight.right() < product.left()
    assert x.width() == pytest.approx(weight.height())  # both have 4 rows or columns
    assert x.height() == pytest.approx(product.height())
    name = theme.current().metrics("label").height() / 2  # of the last row, below its middle
    assert max(place.bottom() for place in made.places) + name <= made.strip.top()


def test_the_cell_under_the_pointer_is_that_of_the_stored_matrix(qapp: object) -> None:
    made, values = equation()
    for symbol, place in zip(made.symbols, made.places, strict=True):
        if symbol.name:
            found = made.cell_at(place.topRight() + QPointF(-1, 1))
            rows, columns = values[symbol.name].shape
            expected = (rows - 1, 0) if symbol.turned else (0, columns - 1)
            assert found is not None and (found.row, found.column) == expected
            assert found.value == values[symbol.name][expected]
            assert str(found).startswith(f"{symbol.name}[")
    assert made.cell_at(QPointF(1, 1)) is None


def test_of_many_tokens_the_first_and_the_last_have_lines_of_their_own(qapp: object) -> None:
    tokens = tuple(f"t{at}" for at in range(40))
    steps, reads = ((0, "embed"), (1, "block"), (2, "next")), np.full((1, 40), 1 / 40)
    scene = SpineScene(steps, (40, 8), (None,), 9, tokens=tokens, chosen=39, reads=reads)
    layout = SpineLayout(AREA, scene)
    lines = layout.earlier
    covered = [at for _, tokens in lines for at in range(tokens.start, tokens.stop)]
    assert covered == list(range(39)) and len(lines) == len(layout.ys) > 2
    assert lines[0][0] == "t0" and lines[-1][0] == "t38"
    assert layout.columns[1].right() <= layout.columns[2].left()


def test_every_diagram_is_painted_half_way_too(qapp: object) -> None:
    for _, widget, width, height in diagrams():
        widget.resize(width, height)
        for position in (0.0, 0.5, 2.0):
            if hasattr(widget, "set_position"):
                widget.set_position(position)
            widget.grab()
            pictures = [one for one in (widget, *widget.findChildren(Picture))
                        if isinstance(one, Picture)]  # fmt: skip
            assert [one for one in pictures if one.broken is not None] == []
        dispose(widget)


def test_the_parts_of_a_bar_share_its_width(qapp: object) -> None:
    bars = StackedBars("Costs")
    bars.resize(400, 40)
    parts = (("mlp", "a", 30), ("", "b", 10))
    bars.set_scene([Bar("all", parts, "{} units".format)])
    assert bars.displayed()["number"].tolist() == [30, 10]
    assert bars.said_at(QPointF(150, 30)).startswith("a: 30 units, 75")
    assert bars.said_at(QPointF(350, 30)).startswith("b: 10 units, 25")
    assert bars.said_at(QPointF(150, 5)) == ""
    bars.set_scene([Bar("all", parts, "{} units".format, "a note")])
    assert bars.said_at(QPointF(150, 30)).endswith("%\na note")
    dispose(bars)


def test_a_row_is_picked_by_click_and_by_keys(qapp: object) -> None:
    table, picked = BarTable("Models", ("size", "layers"), "Click to draw it"), []
    table.picked.connect(picked.append)
    table.set_scene([BarRow(name, 9, ("9", "2")) for name in "abc"])
    table.resize(500, 200)
    middle = table.rects(table.scene)[1].center()
    assert table.said_at(middle) == "b: Click to draw it"
    QTest.mouseClick(table, Qt.MouseButton.LeftButton, pos=middle.toPoint())
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        QTest.keyClick(table, key)
    assert picked == [1, 2] and table.displayed()["layers"].tolist() == ["2"] * 3
    dispose(table)


def test_the_longest_name_of_a_row_has_room(qapp: object, monkeypatch: pytest.MonkeyPatch) -> None:
    written, write = {}, Sketch.text

    def noted(sketch: Sketch, place: QRectF, words: str, *look: Any, **more: Any) -> None:
        written[words] = place
        write(sketch, place, words, *look, **more)

    monkeypatch.setattr(Sketch, "text", noted)
    table = BarTable("Models", ("size", "layers"), "")
    table.resize(300, 200)
    table.set_scene([BarRow("transformer-base", 9, ("9", "2"))])
    row = table.rects(table.scene)[0]
    longest = theme.current().metrics("body", 600).horizontalAdvance("transformer-base")
    table.grab()
    assert longest <= written["transformer-base"].width() < row.width() / 2
    dispose(table)


def test_one_goes_in_and_out_through_the_place_of_a_step(qtbot: Any) -> None:
    samples = {name: widget for name, widget, _, _ in diagrams()}
    picture, block = samples["a model"], samples["a block"].scene
    spine = picture.scene
    qtbot.addWidget(picture)
    picture.resize(600, 380)
    picture.show()
    picture.show_inside(spine, (None,))
    assert not picture.is_zooming
    for scene, way in ((block, (None, 2)), (spine, (None,))):
        picture.show_inside(scene, way)
        assert picture.is_zooming and picture.scene is scene
        picture.grab()
        assert picture.broken is None
        wait_until(lambda: not picture.is_zooming)
        picture.grab()
    picture.show_inside(block, (None, 99))  # there is no such place: a cut
    assert not picture.is_zooming
    picture.show_inside(spine, (None,))
    theme.set_motion(QApplication.instance(), "off")  # type: ignore[arg-type]
    picture.show_inside(block, (None, 2))
    assert not picture.is_zooming
    for name, widget in samples.items():
        if name != "a model":
            dispose(widget)
