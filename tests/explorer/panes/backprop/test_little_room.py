"""The backprop pane in a small window, and at a large zoom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QPushButton, QWidget

from explorer import theme
from explorer.panes.backprop.expression.draw_legend import draw_legend
from explorer.panes.backprop.expression.inputs import ExpressionInputs
from explorer.panes.backprop.expression.scene import instant_at
from explorer.panes.backprop.expression.view import ExpressionView
from explorer.panes.backprop.expression.viewport import fitting, readable
from explorer.panes.backprop.gpt.draw_panels import blank_room
from explorer.panes.backprop.gpt.inputs import GPTInputs
from explorer.panes.backprop.gpt.panel_layout import PlacedPanel
from explorer.panes.backprop.modes import MODES
from explorer.panes.backprop.network.inputs import NetworkInputs
from explorer.panes.backprop.optimizers.inputs import OptimizersInputs
from explorer.panes.backprop.optimizers.moments_picture import MomentsPicture
from explorer.panes.backprop.optimizers.scene import Quantity
from explorer.panes.backprop.optimizers.text import TENTH, USUAL_RATE
from explorer.panes.backprop.optimizers.view import OptimizersView
from explorer.panes.moded import ModesStrip
from explorer.widgets.formula_editor import FormulaField
from explorer.widgets.scroll_area import ScrollArea
from explorer.widgets.stateful import StatefulPicture
from tests.explorer.waiting import turn

WIDTH = 913  # px that the smallest window leaves the inputs at a zoom of 1.5


@dataclass(frozen=True)
class Named:
    """What a ModesStrip asks of a mode."""

    id: str
    title: str
    input_strip: Callable[[], QWidget]
    teaches: str = "what it teaches"


@pytest.fixture
def strip(qapp, qtbot):
    """`strip(zoom, width)`: the inputs of all modes."""
    host = QWidget()
    qtbot.addWidget(host)
    host.show()

    def make(zoom, width):
        theme.apply(qapp, "light", zoom, "off")
        network = partial(NetworkInputs, QComboBox())
        kinds = (ExpressionInputs, network, GPTInputs, OptimizersInputs)
        named = [Named(spec.id, spec.title, kind) for spec, kind in zip(MODES, kinds, strict=True)]
        made = ModesStrip("backprop", MODES)
        for one in named:
            made.add(one)
        made.setParent(host)  # a window would not become smaller than its parts

        def grow():
            made.resize(width, theme.current().px("inputs") + made.extra_height)

        made.heightChanged.connect(grow)
        grow()
        made.show()
        return made

    return make


@pytest.mark.parametrize(("zoom", "width"), [(1.0, 1200), (1.0, 792), (1.5, WIDTH), (2.0, 852)])
def test_inputs_are_whole_in_as_many_rows_as_they_need(strip, zoom, width):
    made = strip(zoom, width)
    places = set()
    for spec in MODES:
        made.show_mode(spec.id)
        turn()
        page = made.page
        shown = [one for one in page.children() if isinstance(one, QWidget) and one.isVisible()]
        names = made.choice.geometry()
        places.add(names.getRect())
        assert made.choice.width() >= made.choice.sizeHint().width()
        for one in shown:
            place = one.geometry().translated(page.pos())
            assert one.width() >= one.sizeHint().width(), spec.id
            assert made.rect().contains(place) and not place.intersects(names)
        for one, other in combinations(shown, 2):
            assert not one.geometry().intersects(other.geometry())
        rows = len({one.geometry().center().y() // 20 for one in shown})
        assert (made.extra_height > 0) is (rows > 1 or shown[0].x() < names.right())
    assert len(places) == 1  # they stay where they are from mode to mode


def test_the_strip_grows_by_a_row_for_what_is_offered_and_shrinks_without_it(strip):
    made = strip(1.0, 792)
    made.show_mode("network")
    turn()
    made.page.findChild(QComboBox).hide()  # for points that are added
    turn()
    rows = [made.extra_height]
    for diverged in (True, False):
        made.page.set_diverged(diverged)
        turn()
        rows.append(made.extra_height)
    assert rows[0] == rows[2] == 0 < rows[1]


@pytest.fixture
def shown(qapp, qtbot):
    """`shown(View, zoom)`: as large as the smallest window lets it be."""
    host = QWidget()
    qtbot.addWidget(host)
    host.show()

    def show(create, zoom, width=1080, height=645):
        theme.apply(qapp, "light", zoom, "off")
        view = create(host)
        for picture in view.findChildren(StatefulPicture):
            picture.show_ready()
        view.show()
        view.resize(width, height)
        QTest.qWait(1)
        return view

    return show


def test_a_notice_over_a_small_map_is_whole(shown):
    view = shown(OptimizersView, 1.5)
    view.set_notice("Momentum ran away at step 2", [USUAL_RATE, TENTH])
    view.notice.layout().activate()
    buttons = [one for one in view.notice.findChildren(QPushButton) if one.isVisible()]
    assert len(buttons) == 2
    for button in buttons:
        assert button.width() >= button.sizeHint().width()
    assert view.body.rect().contains(view.notice.geometry())
    assert not view.notice.geometry().intersects(view.tools.geometry())


@pytest.mark.parametrize("zoom", [1.0, 1.25, 1.5])
def test_a_formula_of_more_lines_than_are_seen_shows_whole_lines(qapp, qtbot, zoom):
    theme.apply(qapp, "light", zoom, "off")
    host = QWidget()
    qtbot.addWidget(host)
    field = FormulaField(host)
    host.show()
    field.setFixedWidth(500)
    field.set_text("\n".join(f"x{line} = {line}" for line in range(9)))
    spacing = field.cursorRect().height()
    for lines in (1, 3, 5):
        field.set_lines(lines)
        assert lines * spacing <= field.viewport().height() < lines * spacing + 4


@pytest.mark.parametrize("lines", [1, 3])
def test_in_a_window_of_1280_by_720_the_cards_are_whole(shown, lines):
    """The pane has 514 px there; one that asks for more would scroll."""
    view = shown(ExpressionView, 1.0, width=813, height=514)
    view.editor.field.setPlainText("\n".join(f"a{one} = b" for one in range(lines)))
    view.what_if.set_error("A message")
    QTest.qWait(1)
    area = view.findChild(ScrollArea)
    assert area.verticalScrollBar().maximum() == area.horizontalScrollBar().maximum() == 0
    assert view.cards.geometry().bottom() < 514


def test_words_of_a_plate_without_a_map_stay_in_its_column(qapp):
    theme.apply(qapp, "light", 1.5)
    area = QRectF(100, 0, 160, 60)
    narrow = PlacedPanel(None, area, QRectF(180, 0, 60, 60), (14, 14), None)
    wide = PlacedPanel(None, area, area, (14, 32), None)
    for one in (narrow, wide):
        room = blank_room(one)
        assert area.left() <= room.left() and room.right() <= area.right()
        assert room.width() >= min(area.width(), theme.current().px(96))


@pytest.mark.parametrize("width", [120, 300, 460, 700])
def test_a_legend_keeps_clear_of_what_lies_over_it(make_pane, width):
    mode = make_pane("expression").modes["expression"]
    image = QImage(900, 40, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    painter = QPainter(image)
    scene = mode.view.graph.scene
    draw_legend(painter, QRectF(0, 0, width, 20), scene, instant_at(scene.computed, 99.0))
    painter.end()
    assert all(image.pixel(x, y) == 0xFFFFFFFF for x in range(width, 900) for y in range(20))


def test_at_a_larger_zoom_more_of_a_graph_is_seen_before_it_is_cut():
    assert [readable(unit) for unit in (0.8, 1.0, 1.25, 1.5, 2.0)] == [1.0, 1.0, 0.8, 0.8, 0.8]
    assert all(unit * readable(unit) >= 1.0 for unit in (1.0, 1.1, 1.25, 1.5, 2.0))
    camera = fitting((700.0, 100.0), (900.0, 300.0), 1.5, readable(1.5))
    assert camera.scale < 1.5 and 700.0 * camera.scale <= 900.0  # all of it, a little smaller


@pytest.mark.parametrize("width", [184, 240, 400])
def test_bars_of_what_is_remembered_leave_room_for_their_numbers(qapp, qtbot, width):
    theme.apply(qapp, "light", 1.0)
    host = QWidget()
    qtbot.addWidget(host)
    view = MomentsPicture(host)
    host.show()
    view.resize(width, 140)
    values = np.array([[1.5, -2.5], [0.001, 12345.0]])
    view.set_lane("adam", "Adam", (Quantity("gradient", "g", "gradient", values),))
    (area,) = view.bar_areas()
    assert area.right() + theme.current().px(56) <= width and area.width() >= 26
    view.grab()
    assert view.broken is None


def test_in_a_window_of_1280_by_720_a_race_that_cannot_be_run_does_not_scroll(shown):
    view = shown(OptimizersView, 1.0, width=813, height=514)
    view.editor.show()
    view.set_trouble("The surface has no finite height at (\u22122, 1.5); start elsewhere")
    QTest.qWait(1)
    assert view.layout().heightForWidth(813) <= 514
