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
from tests.explorer.waiting import until


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
