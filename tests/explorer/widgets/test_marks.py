"""What is locked, pinned, chosen and current can be told apart."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from explorer import theme
from explorer.widgets.head_mosaic import HeadMosaic
from explorer.widgets.heat_map import HeatMap
from tests.explorer.widgets.conftest import color_at, picture_of


@pytest.fixture
def heat(qtbot):
    widget = HeatMap()
    qtbot.addWidget(widget)
    widget.set_values(np.full((4, 4), 0.5, dtype=np.float32))
    return widget


def test_a_locked_head_wears_a_pin_and_the_current_one_the_focus_ring(mosaic, monkeypatch):
    monkeypatch.setattr(HeadMosaic, "shows_focus", True)
    accent, ground = theme.current().color("accent"), theme.current().color("window")
    mosaic.set_locked((0, 0))
    mosaic.set_chosen((2, 2))
    image = picture_of(mosaic, 320, 320)
    locked, current = mosaic.cell_rect(0, 0), mosaic.cell_rect(2, 2)
    for out in (1, 2, 3):
        assert color_at(image, locked.bottomLeft() + QPoint(20, out)) == ground  # no frame
    badge = locked.topRight() + QPoint(-5, 0)
    assert color_at(image, badge) == accent
    assert color_at(image, current.bottomLeft() + QPoint(20, 2)) == accent  # the ring
    assert color_at(image, current.topRight() + QPoint(-5, 0)) != accent  # and no pin
    ring = image
    monkeypatch.setattr(HeadMosaic, "shows_focus", False)
    image = picture_of(mosaic, 320, 320)
    assert color_at(image, current.bottomLeft() + QPoint(20, 1)) == accent  # selected: its frame
    assert image != ring


def test_a_pinned_cell_wears_the_pin(heat):
    heat.set_highlight(3, 1)
    image = picture_of(heat)
    badge = heat.cell_rect(3, 1).topRight() + QPoint(-5, 0)
    assert color_at(image, badge) == theme.current().color("accent")
    heat.set_highlight(3, None)
    assert color_at(picture_of(heat), badge) != theme.current().color("accent")


@pytest.mark.parametrize("tokens", [12, 23, 40])
def test_slanted_labels_above_the_columns_do_not_run_into_each_other(qtbot, monkeypatch, tokens):
    feet = []
    monkeypatch.setattr(
        "explorer.widgets.axis_labels.put_slanted", lambda painter, foot, *_: feet.append(foot.x())
    )
    heat = HeatMap()
    qtbot.addWidget(heat)
    heat.resize(620, 420)
    texts = [f"word{place}" for place in range(tokens)]
    heat.set_labels(texts, texts)
    heat.set_values(np.zeros((tokens, tokens)))
    heat.set_highlight(column=tokens // 2 + 1)
    heat.grab()
    apart = np.diff(sorted(feet)) / math.sqrt(2)  # from line to line, at 45 degrees
    metrics = theme.current().metrics("label")
    assert len(feet) > 4 and apart.min() >= metrics.tightBoundingRect("bdpgy").height()
