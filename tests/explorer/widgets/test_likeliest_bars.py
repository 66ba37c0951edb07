"""Bars of the likeliest next tokens: shares as they are, and the one that came is told."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from explorer.widgets.likeliest_bars import LikeliestBars, NextToken


def test_shares_are_told_as_they_are(qtbot):
    bars = LikeliestBars()
    qtbot.addWidget(bars)
    bars.resize(500, 120)
    bars.grab()
    assert bars.broken is None and not len(bars.displayed()["token"])
    bars.set_tokens([NextToken(b" red", 0.5), NextToken(b"\xff", 0.25, came=True)])
    bars.grab()
    shown = bars.displayed()
    assert bars.broken is None and shown["token"].tolist() == ["␣red", "FF"]
    assert shown["probability"].tolist() == [0.5, 0.25]
    assert shown["came"].tolist() == [False, True]


def test_a_token_is_clicked_or_chosen_by_keys(qtbot):
    bars, told = LikeliestBars("Click for more"), []
    qtbot.addWidget(bars)
    bars.resize(400, 120)
    bars.set_tokens([NextToken(b"a", 0.5), NextToken(b"b", 0.25, before=0.3)])
    bars.grab()
    bars.clicked.connect(told.append)
    QTest.mouseClick(bars, Qt.MouseButton.LeftButton, pos=QPoint(100, 25))
    QTest.mouseClick(bars, Qt.MouseButton.LeftButton, pos=QPoint(100, 80))
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        QTest.keyClick(bars, key)
    assert told == [1, 0, 1]
    said = bars.said_at(QPointF(100, 25))
    assert said.startswith("25\u2009%, down from 30\u2009%") and said.endswith("\nClick for more")
    assert np.isnan(bars.displayed()["before"][0]) and bars.displayed()["before"][1] == 0.3


def test_what_has_changed_is_told_and_drawn(qtbot):
    tokens = [
        NextToken(b" went", 0.383, before=0.47),
        NextToken(b" saw", 0.127, before=0.0928),
        NextToken(b" was", 0.0001, before=0.000102, came=True),
    ]
    told = [one.told.replace("\u2009", " ").replace("\u202f", " ") for one in tokens]
    assert told[0] == "38 %, down from 47 %" and told[1] == "13 %, up from 9.3 %"
    assert told[2] == "0.010 %, as before (next in the text)"
    assert NextToken(b"</s>", 0.9, came=True, how="drawn").told.endswith("% (drawn)")
    bars = LikeliestBars()
    qtbot.addWidget(bars)
    bars.resize(500, 120)
    bars.set_tokens([NextToken(one.piece, one.share) for one in tokens])
    without = bars.grab().toImage()
    bars.set_tokens(tokens)
    assert bars.grab().toImage() != without and bars.broken is None
