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


def test_what_has_changed_is_told_with_its_sign_and_drawn(qtbot):
    tokens = [
        NextToken(b" went", 0.383, before=0.47),
        NextToken(b" saw", 0.127, before=0.0928),
        NextToken(b" was", 0.0001, before=0.00012, came=True),
    ]
    told = [one.told.replace("\u2009", " ").replace("\u202f", " ") for one in tokens]
    assert told[0] == "38 %, was 47 %: \u22128.7" and told[1] == "13 %, was 9.3 %: +3.4"
    assert told[2] == "0.010 %, was 0.012 %: \u00b10.0: this one came"
    bars = LikeliestBars()
    qtbot.addWidget(bars)
    bars.resize(500, 120)
    bars.set_tokens([NextToken(one.piece, one.share) for one in tokens])
    without = bars.grab().toImage()
    bars.set_tokens(tokens)
    assert bars.grab().toImage() != without and bars.broken is None
