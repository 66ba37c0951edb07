"""The list of runs: those from elsewhere stay in it, and one whose folder is gone says so."""

from __future__ import annotations

import shutil

from PySide6.QtCore import Qt

from core.training import new_run_folder
from explorer.panes.training.header import KnownRun
from explorer.panes.training.known_runs import list_runs
from explorer.panes.training.pane import TrainingPane
from explorer.state import settings
from tests.explorer.conftest import dispose
from tests.explorer.demo import tiny_training
from tests.explorer.waiting import Gate, until


def entries(box):
    """What can be read in a box, and whether it can be chosen."""
    places = range(box.count())
    return {box.itemText(place): box.model().item(place).isEnabled() for place in places}


def test_a_run_from_elsewhere_is_still_in_the_list_at_the_next_start(
    make_pane, run_async, tmp_path
):
    away = new_run_folder(tmp_path / "elsewhere", "away", tiny_training())
    other = new_run_folder(tmp_path / "elsewhere", "other", tiny_training())

    async def story():
        pane = make_pane(steps="60")
        own = pane.context.runs.new(pane.planning.config, "own")
        for folder in (own, away, other):
            pane.open_run(str(folder))
            await until(lambda: pane.follower.data is not None, "the run")
        await pane.settled()
        settings.save(pane.context.settings, tmp_path / "config")
        assert pane.context.settings.runs == [str(other.resolve()), str(away.resolve())]

        shutil.rmtree(other)
        known = settings.load(tmp_path / "config")
        context = pane.context.__class__(
            pane.engine, type(pane.workspace)(pane.engine), known, pane.context.runs
        )
        again = TrainingPane(context)
        await again.settled()
        shown = entries(again.choice.run)
        assert shown["away"] and shown["own"] and not shown["other (not found)"]
        told = [again.choice.run.itemData(i, Qt.ItemDataRole.ToolTipRole) for i in range(4)]
        assert any(text and str(other.resolve()) in text for text in told)
        return again

    dispose(run_async(story()))


def test_each_run_is_listed_once_and_what_is_gone_comes_last(tmp_path):
    own = new_run_folder(tmp_path / "runs", "own", tiny_training())
    gone = tmp_path / "gone"
    found = list_runs(tmp_path / "runs", [str(own), "", str(gone), str(own / "..") + "/own"])
    assert found == [KnownRun(str(own.resolve()), "own"), KnownRun(str(gone), "gone", gone=True)]


def test_a_slow_list_does_not_name_another_run_than_the_one_that_is_shown(
    make_pane, run_async, monkeypatch
):
    """The list of before a run was opened comes after that of the run."""
    gate, asked = Gate(), []

    def slow_first(folder, elsewhere):
        asked.append(elsewhere)
        if len(asked) == 1:
            gate()
        return list_runs(folder, elsewhere)

    async def story():
        pane = make_pane(steps="60")
        await pane.settled()
        folder = pane.context.runs.new(pane.planning.config, "own")
        monkeypatch.setattr("explorer.panes.training.known_runs.list_runs", slow_first)
        pane.known_runs.renew(None, None)
        await gate.reached()
        pane.open_run(str(folder))
        await until(lambda: len(asked) > 1 and pane.follower.data is not None, "the run")
        gate.open()
        await pane.settled()
        return pane.choice.run.currentText(), pane.choice.other.isHidden()

    assert run_async(story()) == ("own", False)
