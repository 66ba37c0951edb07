"""The list of runs: those from elsewhere stay in it while they are there."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

from PySide6.QtCore import QObject, Qt

from core.training import new_run_folder
from explorer.panes.training.pane import TrainingPane
from explorer.panes.training.run import known_runs
from explorer.panes.training.run.known_runs import KnownRuns, list_runs
from explorer.state import settings
from tests.explorer.conftest import dispose
from tests.explorer.demo import tiny_training
from tests.explorer.waiting import Gate, until


def entries(box):
    """What can be read in a box."""
    return {box.itemText(place) for place in range(box.count())}


def test_a_run_from_elsewhere_is_still_in_the_list_at_the_next_start(
    make_pane, run_async, tmp_path
):
    away = new_run_folder(tmp_path / "elsewhere", "away", tiny_training())
    other = new_run_folder(tmp_path / "elsewhere", "other", tiny_training())

    async def story():
        pane = make_pane(steps="60")
        own = pane.context.runs.new(pane.setup.config, "own")
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
        shown = again.mode.inputs.run
        assert {"away", "own"} <= entries(shown) and "other" not in entries(shown)
        told = [shown.itemData(at, Qt.ItemDataRole.ToolTipRole) for at in range(shown.count())]
        assert str(away.resolve()) in told
        return again

    dispose(run_async(story()))


def test_each_run_is_listed_once_and_one_that_is_gone_is_not(tmp_path):
    own = new_run_folder(tmp_path / "runs", "own", tiny_training())
    away = new_run_folder(tmp_path / "elsewhere", "away", tiny_training())
    again = str(own / "..") + "/own"
    found = list_runs(tmp_path / "runs", [str(own), str(away), str(tmp_path / "gone"), again])
    assert found == [own.resolve(), away.resolve()]


def test_a_list_that_takes_long_is_not_shown_over_a_newer_one(
    torch_engine, run_async, tmp_path, monkeypatch
):
    gate, shown, done = Gate(), [], []

    def listed(folder, elsewhere):
        if elsewhere[0] == "old":
            gate()
        done.append(elsewhere[0])
        return [elsewhere[0]]

    monkeypatch.setattr(known_runs, "list_runs", listed)
    owner = QObject()
    context = SimpleNamespace(
        engine=torch_engine,
        settings=settings.Settings(),
        runs=SimpleNamespace(folder=lambda: tmp_path),
    )
    runs = KnownRuns(context, owner)
    runs.listed.connect(shown.append)

    async def story():
        runs.look("old", None)
        await gate.reached()
        runs.look("new", None)
        await until(lambda: shown, "the list")
        gate.open()
        await until(lambda: "old" in done, "the older list")
        await torch_engine.io(int)

    run_async(story())
    assert shown == [["new"]]
    dispose(owner)
