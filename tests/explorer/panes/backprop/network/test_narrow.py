"""Network where there is little room: buttons, captions and numbers beside one another."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtTest import QTest

from explorer import theme
from explorer.panes.backprop.network.draw_network import caption, caption_room
from explorer.panes.backprop.network.histograms import size_text
from tests.explorer.panes.backprop.network.conftest import neuron_buttons


def test_numbers_below_histograms_keep_to_their_column(qapp):
    theme.apply(qapp, "light", 1.0)
    assert size_text(0.00123456, 1, 100) == "rms 0.00123"
    metrics = theme.current().metrics("label")
    for width in range(5, 120):
        assert metrics.horizontalAdvance(size_text(-1.23456e-7, 1, width)) <= width


def test_buttons_above_many_columns_do_not_lie_on_each_other(make_pane, run_async, qapp):
    pane = make_pane("network")
    mode = pane.modes["network"]
    theme.apply(qapp, "light", 1.5, "off")

    async def body():
        for _ in range(5):
            mode.view.layersRequested.emit(1)
            await pane.settled()

    run_async(body())
    pane.resize(1080, 645)
    QTest.qWait(1)
    view, keyframe = mode.view, mode.view.network.keyframe
    shown = neuron_buttons(view)
    assert len(shown) == 2 * (len(keyframe.sizes) - 2) > 8
    shown.sort(key=lambda one: one.x())
    for before, after in pairwise(shown):
        assert before.geometry().right() < after.x()
    layout = view.network.layout_now
    advance = theme.current().metrics("label").horizontalAdvance
    for column in range(1, len(layout.columns)):
        room = caption_room(layout, layout.columns[column])
        assert room.width() < layout.step + 1e-6 and room.right() < layout.plane[0]
        assert advance(caption(keyframe, column, room.width())[0]) < room.width()
