"""The pictures: they show the numbers they were given, and tell what a person does."""

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPainter

from core.numbers import format_number
from explorer import theme
from explorer.widgets import axis_labels
from explorer.widgets.arcs import ArcDiagram
from explorer.widgets.base import Picture, visible_text
from explorer.widgets.color_bar import ColorBar
from explorer.widgets.heat_map import HeatMap
from explorer.widgets.plots.data import dotted
from explorer.widgets.plots.line_plot import LinePlot, Series
from explorer.widgets.plots.view import PlotView
from explorer.widgets.token_strip import TokenStrip, chip
from explorer.widgets.vector_bars import Vector, VectorBars
from tests.explorer.waiting import wait_until
from tests.explorer.widgets.conftest import color_at, picture_of

TOKENS = ["Once", " upon", " a", " time"]


@pytest.fixture
def heat(qtbot):
    widget = HeatMap()
    qtbot.addWidget(widget)
    values = np.tril(np.full((4, 4), 0.5, dtype=np.float32))
    widget.set_values(values, np.triu(np.ones((4, 4), dtype=bool), 1))
    widget.set_labels(TOKENS, TOKENS)
    widget.resize(400, 400)
    return widget


def test_a_cell_has_the_color_of_its_value(heat):
    image = picture_of(heat)
    corner = heat.cell_rect(2, 1).topLeft() + QPoint(3, 3)
    expected = theme.current().attention_table[128]
    shown = color_at(image, corner)
    assert np.abs(np.array([shown.red(), shown.green(), shown.blue()]) - expected).max() <= 3
    assert (heat.displayed()["values"][heat.displayed()["mask"]] == 0).all()


def test_a_masked_cell_is_hatched_not_colored(heat):
    image = picture_of(heat)
    rect = heat.cell_rect(0, 3).toRect().adjusted(2, 2, -2, -2)
    seen = {
        image.pixelColor(x, y).name()
        for x in range(rect.left(), rect.right())
        for y in range(rect.top(), rect.bottom())
    }
    assert len(seen) > 1 and theme.current().color("surface").name() in seen


def test_a_heat_map_refuses_shapes_that_do_not_fit(heat):
    with pytest.raises(ValueError, match="mask of that shape"):
        heat.set_values(np.zeros((2, 2)), np.zeros((3, 3), dtype=bool))
    with pytest.raises(ValueError, match="no color scale"):
        heat.set_scale("rainbow")


def test_diverging_limits_are_symmetric(heat):
    heat.set_scale("diverging")
    heat.set_values(np.array([[-3.0, 1.0], [np.nan, np.inf]]))
    assert heat.limits() == (-3.0, 3.0)
    picture_of(heat)


def test_hover_click_and_arrows_of_a_heat_map(heat, qtbot):
    hovered, clicked, moved = [], [], []
    heat.cellHovered.connect(lambda *cell: hovered.append(cell))
    heat.cellClicked.connect(lambda *cell: clicked.append(cell))
    heat.currentChanged.connect(lambda *cell: moved.append(cell))
    qtbot.mouseMove(heat, heat.cell_rect(1, 0).center().toPoint())
    qtbot.mouseClick(heat, Qt.MouseButton.LeftButton, pos=heat.cell_rect(2, 1).center().toPoint())
    assert clicked == [(2, 1)]
    qtbot.keyClick(heat, Qt.Key.Key_Up)
    qtbot.keyClick(heat, Qt.Key.Key_Left)
    qtbot.keyClick(heat, Qt.Key.Key_Left)
    assert moved == [(1, 1), (1, 0)]
    assert "\u2423upon" in heat.accessibleDescription() and "0.500" in heat.accessibleDescription()
    qtbot.keyClick(heat, Qt.Key.Key_Return)
    assert clicked[-1] == (1, 0)


def test_an_empty_heat_map_paints_and_shrinks_safely(heat, qtbot):
    heat.set_current(3, 3)
    heat.set_values(np.zeros((0, 0)))
    picture_of(heat)
    qtbot.keyClick(heat, Qt.Key.Key_Up)
    heat.set_values(np.ones((1, 1)))
    picture_of(heat, 40, 40)


def test_arcs_say_how_much_they_show(qtbot):
    widget = ArcDiagram()
    qtbot.addWidget(widget)
    weights = np.tril(np.ones((30, 30), dtype=np.float32))
    weights /= weights.sum(axis=1, keepdims=True)
    widget.set_weights(weights, [f"t{i}" for i in range(30)])
    assert widget.caption.startswith("showing the 250 strongest arcs (")
    widget.set_query(4, only=True)
    assert widget.caption == "showing the 5 strongest arcs (100\u2009% of the total weight)"
    assert (widget.displayed()["pairs"][:, 0] == 4).all()
    clicked = []
    widget.tokenClicked.connect(clicked.append)
    widget.resize(600, 280)
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=widget.token_point(3).toPoint())
    assert clicked == [3]
    picture_of(widget, 600, 280)
    with pytest.raises(ValueError, match="weights of that square"):
        widget.set_weights(weights, ["one"])


def test_bytes_of_half_a_character_are_cells_never_a_broken_glyph():
    assert chip(7, b"\xf0\x9f").text == "F0 9F" and chip(7, b"\xf0\x9f").is_bytes
    assert chip(7, "\ufffd").is_bytes
    assert chip(7, b" caf\xc3\xa9").text == "\u2423caf\u00e9"
    assert chip(7, "\n").text == "\u21b5"
    assert chip(7, b"\x00").text == "00"
    assert chip(7, "").text == "\u2205"


def test_tokens_are_chosen_by_mouse_and_keys_and_scroll_into_view(qtbot):
    strip = TokenStrip()
    qtbot.addWidget(strip)
    strip.resize(200, 28)
    strip.set_tokens(list(range(40)), [f" w{i}" for i in range(40)], cut=3)
    clicked = []
    strip.tokenClicked.connect(clicked.append)
    strip.set_selected(39)
    assert strip.chip_rect(39).right() <= 200
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=strip.chip_rect(38).center().toPoint())
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert clicked == [38, 37]
    assert strip.displayed()["ids"].tolist() == list(range(40))
    picture_of(strip, 200, 28)
    with pytest.raises(ValueError, match="as many pieces"):
        strip.set_tokens([1], [])


def test_a_plot_shows_exact_points_and_its_readout_is_the_nearest_one(qtbot):
    plot = LinePlot()
    qtbot.addWidget(plot)
    x = np.arange(0, 50_000, 10)
    y = np.sin(x / 1000)
    plot.set_axes("step", "loss (nats)")
    plot.set_series([Series("train", x, y)])
    assert np.array_equal(plot.displayed()["train"], np.stack([x, y], axis=1))
    assert plot.readout(20_004.0)[0][1] == format_number(y[2000])
    picture_of(plot, 500, 240)
    assert plot.limits[0] == 0 and plot.limits[1] >= x[-1]
    assert plot.x_at(plot.plot_rect().left()) == pytest.approx(plot.limits[0])
    with pytest.raises(ValueError, match="x and y of one length"):
        plot.set_series([Series("bad", x, y[:-1])])


def test_a_plot_survives_gaps_zeros_on_a_log_axis_and_nothing(qtbot):
    plot = LinePlot()
    qtbot.addWidget(plot)
    picture_of(plot)
    plot.set_log(True)
    plot.set_series([Series("a", np.arange(5), np.array([0.0, -1.0, np.nan, 2.0, np.inf]))])
    picture_of(plot)
    assert plot.limits[2] > 0
    plot.set_series(
        [Series("a", np.arange(3), np.full(3, np.nan)), Series("b", np.zeros(0), np.zeros(0))]
    )
    assert plot.accessibleDescription() == "no data yet"
    picture_of(plot)
    assert plot.broken is None


@pytest.mark.parametrize("ratio", [1, 2])
@pytest.mark.parametrize("points", [10, 1000])
def test_a_line_is_two_pixels_wide_on_every_screen(qtbot, points, ratio):
    plot = LinePlot()
    qtbot.addWidget(plot)
    plot.resize(500, 240)
    plot.set_series([Series("flat", np.arange(points), np.full(points, 3.0))])
    image = QImage(500 * ratio, 240 * ratio, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(theme.current().color("surface"))
    plot.render(image)
    column = round(plot.plot_rect().center().x() * ratio)
    paper, ink = theme.current().color("surface").red(), theme.current().series(0).red()
    rect, (low, high) = plot.plot_rect(), plot.limits[2:]
    middle = round((rect.bottom() - (3.0 - low) / (high - low) * rect.height()) * ratio)
    rows = range(middle - 4 * ratio, middle + 4 * ratio)
    covered = sum((paper - image.pixelColor(column, row).red()) / (paper - ink) for row in rows)
    assert covered == pytest.approx(2 * ratio, rel=0.25)


def test_a_point_between_gaps_is_a_dot():
    y = np.array([1.0, np.nan, 2.0, np.nan, 3.0, 4.0])
    assert dotted(y, marks=False).tolist() == [0, 2]
    assert dotted(y, marks=True).tolist() == [0, 2, 4, 5]


def test_a_plot_that_cannot_be_drawn_says_so_until_its_data_change(qtbot, monkeypatch, caplog):
    plot = LinePlot()
    qtbot.addWidget(plot)
    failures = []
    plot.paintFailed.connect(failures.append)
    view = plot.findChild(PlotView)
    monkeypatch.setattr(view, "set_ticks", lambda *ticks: 1 / 0)
    plot.set_series([Series("a", np.arange(3), np.arange(3))])
    picture_of(plot)
    wait_until(view.isHidden)  # it is not hidden in the middle of its own painting
    assert len(failures) == 1
    monkeypatch.undo()
    plot.set_series([Series("a", np.arange(3), np.arange(3))])
    picture_of(plot)
    assert len(failures) == 1 and not view.isHidden()


def test_products_grow_out_of_the_two_rows(qtbot):
    bars = VectorBars()
    qtbot.addWidget(bars)
    q, k = np.ones(8), np.full(8, 2.0)
    bars.set_vectors(
        [
            Vector("q", "query", q, "q"),
            Vector("k", "key", k, "k"),
            Vector("x", "p", q * k, "attention"),
        ]
    )
    bars.set_product(True)
    pictures = []
    for progress in (0.0, 0.25, 0.75, 1.0):
        bars.set_progress(progress)
        pictures.append(picture_of(bars, 500, 220))
    assert all(one != other for one, other in itertools.pairwise(pictures))
    assert bars.displayed()["p"].tolist() == [2.0] * 8
    with pytest.raises(ValueError, match="one length"):
        bars.set_vectors([Vector("q", "a", q, "q"), Vector("k", "b", k[:3], "k")])


def test_a_picture_whose_paint_raises_says_so_once_until_its_data_change(qtbot, caplog):
    class Broken(Picture):
        fails = True

        def draw(self, painter: QPainter) -> None:
            if self.fails:
                raise RuntimeError("no such cell")

    widget = Broken("Broken")
    qtbot.addWidget(widget)
    failures = []
    widget.paintFailed.connect(failures.append)
    picture_of(widget)
    picture_of(widget)
    assert [str(error) for error in failures] == ["no such cell"]
    widget.fails = False
    widget.data_changed()
    picture_of(widget)
    assert len(failures) == 1


def test_a_space_at_the_end_of_a_label_is_seen_and_one_between_words_is_a_space():
    assert visible_text("  of the ") == "\u2423\u2423of the\u2423"
    assert visible_text("   ") == "\u2423\u2423\u2423" and visible_text("a\n") == "a\u21b5"


def test_the_bar_says_what_its_scale_does_to_small_values_as_far_as_there_is_room(qapp):
    bar = ColorBar()
    bar.set_scale("attention", note="share")
    assert bar.words(400) == "share; low values are drawn stronger, gamma 0.6"
    said = [bar.words(room) for room in (400, 180, 60)]
    widths = [theme.current().metrics("label").horizontalAdvance(one) for one in said]
    assert widths[1] <= 180 and widths == sorted(widths, reverse=True)
    assert said[1].startswith("low values stronger") and said[2] == "gamma 0.6"
    assert bar.words(36) == "\u03b3 0.6" and bar.words(5) == ""
    bar.set_scale("diverging")
    assert bar.words(400) == "0"
    bar.set_scale("diverging", -1, 1, "\u221a")
    said = [bar.words(room) for room in (400, 12, 0)]
    assert said == ["0, \u221a", "\u221a", ""]  # nothing over the numbers at the ends


def test_names_are_never_cut_where_cells_are_wide_but_not_wide_enough(qapp, monkeypatch):
    names = ["stories (bundled)", "BERT base, uncased"]
    slanted = []
    monkeypatch.setattr(axis_labels, "put_slanted", lambda *args: slanted.append(args[2]))
    heat = HeatMap()
    heat.resize(600, 600)
    for named in (False, True):
        slanted.clear()
        heat.set_values(np.eye(2))
        heat.set_labels(names, names, named=named)
        heat.grab()
        assert slanted == (names if named else [])
    heat.deleteLater()


def test_arcs_of_a_shorter_text_have_nothing_under_the_pointer_that_is_gone(qtbot):
    """They were drawn with a query of the longer text, which failed."""
    arcs = ArcDiagram()
    qtbot.addWidget(arcs)
    arcs.resize(480, 280)
    arcs.set_weights(np.tril(np.full((6, 6), 0.2)), list("abcdef"))
    arcs.set_query(5, only=True)
    hovered = []
    arcs.tokenHovered.connect(hovered.append)
    place = arcs.token_point(4) + QPointF(0, 8)
    move = QMouseEvent(
        QEvent.Type.MouseMove,
        place,
        place,
        *[Qt.MouseButton.NoButton] * 2,
        Qt.KeyboardModifier.NoModifier,
    )
    arcs.mouseMoveEvent(move)
    assert hovered == [4]
    arcs.set_weights(np.tril(np.full((2, 2), 0.5)), list("ab"))
    arcs.grab()
    assert hovered == [4, -1] and arcs.broken is None
    assert len(arcs.displayed()["pairs"]) == 3
