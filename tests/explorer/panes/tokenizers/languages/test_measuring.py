"""Languages while it measures: rows that stand still, steps of what is there, words of how far."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.tokenization.analysis import Premium
from explorer.panes.tokenizers.languages import text
from explorer.panes.tokenizers.languages.model import lines_of
from explorer.panes.tokenizers.languages.standing import StandingOrder
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
    measuring = pane.mode.measuring
    known = {key: one for key, one in measuring.results.items() if key[1] in ("eng", *codes)}
    every = dict(measuring.results)
    monkeypatch.setattr(type(measuring), "running", property(lambda _: True))
    measuring.results.clear()
    measuring.results.update(known)
    measuring.done, measuring.total = len(known), len(every)
    return every


def titles(pane):
    track = pane.player.track
    return [track.title(step).partition(" under ")[0] for step in range(track.length)]


def test_rows_stand_still_while_results_come_and_under_the_mouse(pane, run_async):
    async def body():
        await pane.settled()
        mode, now = pane.mode, [10.0]
        texts, every = mode.texts.texts[:4], mode.measuring.results
        ids = ["model"]
        order = StandingOrder(lambda: now[0])

        def shown(codes, question="premium", held=False, coming=True):
            known: dict[tuple[str, str], Premium] = {("model", c): every["model", c] for c in codes}
            lines = lines_of(texts, known, ids)
            found = order.arrange(lines, question, coming=coming, held=held)
            return [line.language.code for line in found], [line.language.code for line in lines]

        all_of_them = [text.code for text in texts]
        first, right = shown(all_of_them[:2])
        assert first == right
        now[0] += 0.5
        second, right = shown(all_of_them)
        assert second == first != right and not order.is_new
        now[0] += 0.6
        assert shown(all_of_them, held=True)[0] == first
        assert shown(all_of_them)[0] == right and order.is_new
        assert shown(all_of_them[:2], question="name")[0] == first
        assert shown(all_of_them, question="name", held=True, coming=False)[0] == right

    run_async(body())


def test_what_is_measured_has_steps_before_all_is(pane, run_async, monkeypatch):
    async def body():
        await pane.settled()
        mode, chart = pane.mode, pane.mode.view.chart
        every = is_running(pane, monkeypatch, "hin", "rus")
        mode.view.search.setText("i")
        mode.view.search.clear()
        await pane.settled()
        assert len(titles(pane)) == 3
        mode.measuring.results.update(every)
        mode.refresh()
        row = next(at for at, line in enumerate(chart.lines) if line.language.code == "jpn")
        chart._choose(row, 0)  # in sight
        point = chart.bar_rect(row, 0).center().toPoint()
        QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=point)
        await pane.settled()
        assert titles(pane)[pane.player.step] == chart.lines[row].language.name
        assert mode.cursor.bar.code == "jpn"

    run_async(body())


def test_the_first_bar_is_looked_at_until_one_is_chosen(pane, run_async, monkeypatch):
    async def body():
        await pane.settled()
        mode, chart, measuring = pane.mode, pane.mode.view.chart, pane.mode.measuring
        every = is_running(pane, monkeypatch, "deu")
        for search in ("i", ""):
            mode.view.search.setText(search)
            await pane.settled()
        assert mode.cursor.bar.code == "deu" == chart.lines[0].language.code
        measuring.results.update(every)
        monkeypatch.setattr(type(measuring), "running", property(lambda _: False))
        mode.refresh()
        await pane.settled()
        assert mode.cursor.bar.code == chart.lines[0].language.code != "deu"
        assert pane.player.position == 0
        chart._choose(3, 0)
        chosen = mode.cursor.bar
        mode.set_order("name")
        await pane.settled()
        assert mode.cursor.bar == chosen

    run_async(body())


def test_a_double_click_on_a_new_bar_goes_into_that_one(pane, run_async, monkeypatch):
    async def body():
        await pane.settled()
        mode, chart = pane.mode, pane.mode.view.chart
        every = is_running(pane, monkeypatch, "hin")
        mode.view.search.setText("i")
        mode.view.search.clear()
        await pane.settled()
        mode.measuring.results.update(every)
        mode.refresh()
        chart.entered.emit("kor", 0)
        await pane.settled()
        assert mode.cursor.part is not None and mode.cursor.bar.code == "kor"
        assert pane.player.track.title(0).startswith("The text in Korean")

    run_async(body())


def test_how_far_it_is_stands_above_the_chart_and_can_be_ended(pane, run_async, monkeypatch):
    async def body():
        await pane.settled()
        view = pane.mode.view
        assert not view.stop.isVisibleTo(view) and view.count.isVisibleTo(view)
        assert not pane.headline.startswith("So far")
        is_running(pane, monkeypatch, "hin", "rus")
        pane.mode.refresh()
        assert view.waiting.text() == "measured 3 of 25" and view.stop.isVisibleTo(view)
        assert not view.count.isVisibleTo(view)
        assert view.body.waited == 0  # nothing lies over the legend and the axis
        assert pane.headline.startswith("So far, for mine, Hindi costs")
        stopped = []
        monkeypatch.setattr(pane.mode.measuring, "stop", lambda: stopped.append(1) or True)
        QTest.mouseClick(view.stop, Qt.MouseButton.LeftButton)
        assert stopped

    run_async(body())


def test_almost_all_is_not_all():
    assert [text.percent(share) for share in (1, 0.995, 0.99999, 0.98, 0.05)] == [
        "100\u2009%",
        "99.5\u2009%",
        "99.9\u2009%",
        "98\u2009%",
        "5.0\u2009%",
    ]
