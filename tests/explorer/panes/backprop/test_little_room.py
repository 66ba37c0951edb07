"""The backprop pane in a small window, and at a large zoom."""

from __future__ import annotations

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from explorer import theme
from explorer.panes.backprop.network.histograms import size_text
from explorer.panes.backprop.network.view import NetworkView
from explorer.panes.backprop.optimizers.view import OptimizersView
from explorer.widgets.stateful import StatefulPicture

WIDTH = 913  # px that the smallest window leaves the inputs at a zoom of 1.5


@pytest.mark.parametrize("zoom", [1.0, 1.25, 1.5])
def test_names_of_modes_and_inputs_have_room_in_the_smallest_window(make_pane, qapp, qtbot, zoom):
    pane = make_pane()
    theme.apply(qapp, "light", zoom, "off")
    host, header = QWidget(), pane.inputs
    qtbot.addWidget(host)
    header.setParent(host)  # a window would not become smaller than its parts
    host.show()
    header.resize(WIDTH, 44)
    header.show()
    places = set()
    for name in pane.modes:
        header.show_mode(name)
        header.layout().activate()
        places.add(header.choice.geometry().getRect())
        assert header.choice.width() >= header.choice.minimumSizeHint().width()
        page = header._stack.currentWidget()
        page.layout().activate()
        assert page.layout().minimumSize().width() <= page.width(), name
    assert len(places) == 1  # they stay where they are from mode to mode
    header.setParent(None)


@pytest.fixture
def shown(qapp, qtbot):
    """`shown(View, zoom)`: as large as the smallest window lets it be."""
    host = QWidget()
    qtbot.addWidget(host)
    host.show()

    def show(create, zoom, width=961, height=428):
        theme.apply(qapp, "light", zoom, "off")
        view = create(host)
        for picture in view.findChildren(StatefulPicture):
            picture.show_ready()
        view.show()
        view.resize(width, height)
        QTest.qWait(1)
        return view

    return show


@pytest.mark.parametrize(
    ("create", "above", "below"),
    [
        (NetworkView, lambda view: view.network, lambda view: view.panel),
        (OptimizersView, lambda view: view.body, lambda view: view.moments),
    ],
)
def test_a_low_window_shows_the_picture_or_what_stands_below_it(shown, create, above, below):
    view = shown(create, 1.5)
    one, two = above(view), below(view)
    assert view.fold.is_tight and one.isVisibleTo(view) and not two.isVisibleTo(view)
    assert one.height() > 0.6 * view.height()
    view.fold.click()
    QTest.qWait(1)
    assert two.isVisibleTo(view) and not one.isVisibleTo(view)
    view.fold.click()
    assert one.isVisibleTo(view) and not two.isVisibleTo(view)
    view.resize(961, 700)
    assert not view.fold.isVisibleTo(view)
    assert one.isVisibleTo(view) and two.isVisibleTo(view)


def test_a_notice_over_a_small_map_is_whole(shown):
    view = shown(OptimizersView, 1.5)
    view.set_notice("Momentum ran away at step 2", ["The usual rate", "A tenth of the rate"])
    view.notice.layout().activate()
    for button in view.notice._choices.findChildren(QPushButton):
        assert button.width() >= button.sizeHint().width()
    assert view.body.rect().contains(view.notice.geometry())
    assert not view.notice.geometry().intersects(view.tools.geometry())


def test_numbers_below_histograms_keep_to_their_column(qapp):
    theme.apply(qapp, "light", 1.0)
    assert size_text(0.00123456, 1, 100, False) == "rms 0.00123"
    metrics = theme.current().metrics("label")
    for width in range(5, 120):
        for vanished in (False, True):
            text = size_text(-1.23456e-7, 1, width, vanished)
            assert metrics.horizontalAdvance(text) <= width
