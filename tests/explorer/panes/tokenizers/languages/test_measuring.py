"""Languages while it measures: rows that stand still, steps of what is there, words of how far."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from explorer.panes.tokenizers.modes import MODES
from tests.explorer.panes.tokenizers.small import small_bpe

LANGUAGES = next(spec for spec in MODES if spec.id == "languages")


@pytest.fixture
def pane(make_pane, context, monkeypatch, tmp_path):
    """Languages with one tokenizer, on our own sentences."""
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path / "data"))
    source = SimpleNamespace(name="mine", tokenizer=small_bpe(), close=lambda: None)
    context.workspace.set_model_source(source)
    return make_pane(LANGUAGES)


def is_running(pane, monkeypatch, *codes):
    """As if only these languages were measured so far, and the job went on."""
    premiums = pane.mode.premiums
    known = {key: one for key, one in premiums.results.items() if key[1] in ("eng", *codes)}
    every = dict(premiums.results)
    monkeypatch.setattr(type(premiums), "running", property(lambda _: True))
    premiums.results.clear()
    premiums.results.update(known)
    premiums.done, premiums.total = len(known), len(every)
    return every


def titles(pane):
    track = pane.player.track
    return [track.title(step).partition(" with ")[0] for step in range(track.length)]


def test_rows_keep_their_places_until_all_is_measured(pane, run_async, monkeypatch):
    async def body():
        await pane.settled()
        chart, premiums = pane.mode.view.chart, pane.mode.premiums
        right = [line.language.code for line in chart.lines]
        every = is_running(pane, monkeypatch, "hin")
        pane.mode.set_order("name")
        pane.mode.set_order("premium")
        first = [line.language.code for line in chart.lines]
        premiums.results.update(every)
        pane.mode.refresh()
        assert [line.language.code for line in chart.lines] == first != right
        monkeypatch.setattr(type(premiums), "running", property(lambda _: False))
        pane.mode.refresh()
        assert [line.language.code for line in chart.lines] == right

    run_async(body())


def test_what_is_measured_has_steps_before_all_is(pane, run_async, monkeypatch):
    async def body():
        await pane.settled()
        mode, chart = pane.mode, pane.mode.view.chart
        every = is_running(pane, monkeypatch, "hin", "rus")
        mode.view.search_bar.search.setText("i")
        mode.view.search_bar.search.clear()
        await pane.settled()
        assert len(titles(pane)) == 3
        mode.premiums.results.update(every)
        mode.refresh()
        row = next(at for at, line in enumerate(chart.lines) if line.language.code == "jpn")
        chart.choose(row, 0)  # in sight
        point = chart.bar_rect(row, 0).center().toPoint()
        QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=point)
        await pane.settled()
        assert titles(pane)[pane.player.step] == chart.lines[row].language.name
        assert mode.bar.code == "jpn"

    run_async(body())


def test_how_far_it_is_stands_above_the_chart_and_can_be_ended(pane, run_async, monkeypatch):
    async def body():
        await pane.settled()
        view = pane.mode.view
        bar = view.search_bar
        assert not bar.stop.isVisibleTo(view) and bar.count.isVisibleTo(view)
        assert not pane.headline.startswith("So far")
        is_running(pane, monkeypatch, "hin", "rus")
        pane.mode.refresh()
        assert bar.waiting.text() == "measured 3 of 25" and bar.stop.isVisibleTo(view)
        assert not bar.count.isVisibleTo(view)
        assert view.body.waited == 0  # nothing lies over the legend and the axis
        assert pane.headline.startswith("So far") and "Hindi" in pane.headline
        stopped = []
        monkeypatch.setattr(pane.mode.premiums, "stop", lambda: stopped.append(1) or True)
        QTest.mouseClick(bar.stop, Qt.MouseButton.LeftButton)
        assert stopped

    run_async(body())
