"""Bars of the likeliest next tokens: shares as they are, and the one that came is told."""

from __future__ import annotations

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
