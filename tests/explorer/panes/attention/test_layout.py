"""What the pane's parts get of the room that zoom and window leave."""

from __future__ import annotations

import numpy as np
import pytest

from explorer import theme
from explorer.panes.attention.draft import ViewSettings
from explorer.panes.attention.text import SCORES, cut_to
from explorer.panes.attention.view import AttentionView


@pytest.fixture
def view(qapp, qtbot, heads):
    def build(width, height, zoom, grid):
        theme.apply(qapp, "light", zoom, "off")
        view = AttentionView()
        qtbot.addWidget(view)
        view.set_prompt(heads.prompt)
        view.panel.set_grid(*grid)
        view.panel.mosaic.set_pooled(np.zeros((*grid, 8, 8), dtype=np.uint8))
        view.panel.show_scores("Layer 0, head 1", dict.fromkeys(SCORES, 0.5), "induction")
        view.head.show_settings(ViewSettings())
        view.show_ready()
        view.resize(width, height)
        view.show()
        qapp.processEvents()
        return view

    yield build
    theme.apply(qapp, "light", 1.0, "full")


# What the window leaves the picture, at least and as designed.
ROOM = [(720, 430, 1.0), (958, 572, 1.33), (1080, 645, 1.5), (1440, 860, 2.0), (1007, 474, 1.0),
        (983, 694, 1.0), (1317, 626, 1.33)]  # fmt: skip


@pytest.mark.parametrize(("width", "height", "zoom"), ROOM)
@pytest.mark.parametrize("grid", [(4, 6), (12, 12)])
def test_the_mosaic_stays_usable_at_every_zoom(view, width, height, zoom, grid):
    shown = view(width, height, zoom, grid)
    mosaic, panel = shown.panel.mosaic, shown.panel
    cells = (
        mosaic.cell_rect(grid[0] - 1, grid[1] - 1).bottomRight() - mosaic.cell_rect(0, 0).topLeft()
    )
    assert cells.x() / zoom >= 120, "the grid's width in unzoomed px"
    assert mosaic.cell_rect(0, 0).width() >= 12
    assert mosaic.cell_rect(grid[0] - 1, 0).bottom() <= mosaic.height()
    assert panel.picture.geometry().bottom() <= panel.height()
    if not panel.scores.isHidden():
        assert panel.scores.geometry().bottom() <= panel.height()
    assert shown.minimumSizeHint().width() <= width, "nothing is cut at the right"
    tools = shown.head
    assert tools.modes.width() >= tools.modes.sizeHint().width()
    assert tools.walk.geometry().right() <= tools.width()


def test_scores_give_way_before_the_mosaic_does(view):
    assert view(823, 474, 1.0, (30, 9)).panel.scores.isHidden()
    assert not view(983, 694, 1.0, (4, 6)).panel.scores.isHidden()


def test_a_line_that_is_too_long_is_cut_before_its_result():
    pieces = [
        ("'found'  ", "text"),
        *[("12345 + ", "k")] * 9,
        (" = ", "muted"),
        ("0.592", "attention"),
    ]
    assert cut_to(pieces, 1000, len) == pieces
    shown = "".join(text for text, _ in cut_to(pieces, 40, len))
    assert shown.startswith("'found'  12345") and shown.endswith("\u2026 = 0.592")
    assert len(shown) <= 40
