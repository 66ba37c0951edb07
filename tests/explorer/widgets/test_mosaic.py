"""The mosaic of heads: what it shows, and what is pointed at, locked and filtered."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from tests.explorer.widgets.conftest import picture_of


def test_hover_previews_click_locks_and_escape_unlocks(mosaic, qtbot):
    hovered, clicked, unlocked = [], [], []
    mosaic.headHovered.connect(lambda *head: hovered.append(head))
    mosaic.headClicked.connect(lambda *head: clicked.append(head))
    mosaic.headUnlocked.connect(lambda: unlocked.append(1))
    qtbot.mouseMove(mosaic, mosaic.cell_rect(0, 3).center().toPoint())
    qtbot.mouseClick(
        mosaic, Qt.MouseButton.LeftButton, pos=mosaic.cell_rect(1, 2).center().toPoint()
    )
    assert clicked == [(1, 2)] and mosaic.locked == (1, 2)
    qtbot.keyClick(mosaic, Qt.Key.Key_Escape)
    assert unlocked == [1] and mosaic.locked is None
    picture_of(mosaic, 320, 320)


def test_arrows_move_over_heads_as_they_are_sorted(mosaic, qtbot):
    order = np.array([[2, 0, 3, 1]] * 3)
    mosaic.set_order(order)
    mosaic.set_scores(np.full((3, 4), 0.25), "induction")
    mosaic.set_locked((0, 2))
    mosaic.set_locked(None)
    moved = []
    mosaic.currentChanged.connect(lambda *head: moved.append(head))
    qtbot.keyClick(mosaic, Qt.Key.Key_Right)
    qtbot.keyClick(mosaic, Qt.Key.Key_Down)
    assert moved == [(0, 0), (1, 0)]
    assert mosaic.head_at(mosaic.cell_rect(2, 3).center()) == (2, 3)
    assert mosaic.accessibleDescription() == "layer 1, head 0, induction 0.250"


def test_the_lock_goes_where_the_arrows_go(mosaic, qtbot):
    clicked = []
    mosaic.headClicked.connect(lambda *head: clicked.append(head))
    mosaic.set_locked((0, 2))
    qtbot.keyClick(mosaic, Qt.Key.Key_Down)
    assert mosaic.locked == (1, 2) and clicked == [(1, 2)]


def test_the_mosaic_asks_for_the_pixels_that_it_has(mosaic, qtbot):
    asked = []
    mosaic.cellPixelsChanged.connect(asked.append)
    mosaic.resize(160, 160)
    mosaic.resizeEvent(None)
    assert asked == [mosaic.cell_pixels] and asked[0] < 48
    with pytest.raises(ValueError, match="pool_heads"):
        mosaic.set_pooled(np.zeros((2, 2, 4, 4), dtype=np.float32))


def test_mosaic_filter_dims_and_skeleton_keeps_the_geometry(mosaic):
    place = mosaic.cell_rect(2, 3)
    plain = picture_of(mosaic, 320, 320)
    kept = np.ones((3, 4), dtype=bool)
    kept[2, 3] = False
    mosaic.set_filter(kept)
    assert picture_of(mosaic, 320, 320) != plain
    mosaic.set_shape(3, 4)
    assert mosaic.cell_rect(2, 3) == place
