"""Trainers that die before they have opened their run folder, and runs that nobody looks at."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject

from explorer.engine import errors
from explorer.panes.training.run.controls import Controls
from tests.explorer.panes.training.run.test_lines import recorded
from tests.explorer.waiting import until

from .conftest import started, state_of


def dies(monkeypatch, runs, backend):
    """From now on a trainer ends at its first breath; returns what it says."""
    if backend == "process":
        runs.process_launcher.module = "no_such_trainer"
        return "No module named no_such_trainer"

    def train(folder, resume):
        raise ValueError("nothing to train with")
        yield

    monkeypatch.setattr("explorer.runs.live.training_steps", train)
    return "nothing to train with"


@pytest.mark.parametrize("backend", ["thread", "process"])
def test_a_trainer_that_dies_at_once_is_a_failed_run_and_says_why(
    make_pane, run_async, monkeypatch, caplog, backend
):
    caplog.set_level(logging.CRITICAL)

    async def story():
        pane = make_pane(run_in=backend, steps="4000")
        pane.widget().window().show()
        runs = pane.context.runs
        healthy = runs.process_launcher.module
        with monkeypatch.context() as patch:
            says = dies(patch, runs, backend)
            pane.form.startRequested.emit()
            await until(lambda: state_of(pane) == "failed", "the failure of a new run")
            assert says in pane.view.card.text.message
            assert pane.view.card.text.buttons == ("anew", "again")

        runs.process_launcher.module = healthy
        pane.player.play()
        await until(lambda: state_of(pane) == "running", "the run, once nothing is wrong")
        pane.controls.press("stop")
        folder = Path(pane.workspace.run)
        await until(lambda: state_of(pane) == "stopped", "the stop")
        await until(lambda: not runs.running_here(folder), "the trainer's end")

        with monkeypatch.context() as patch:
            says = dies(patch, runs, backend)
            pane.controls.play()
            assert pane.view.card.text.state == "running", "the button answers at once"
            await until(lambda: state_of(pane) == "failed", "the failure of a resumed run")
            assert says in pane.view.card.text.message
            assert runs.requested.of(folder) is None
        pane.widget().window().hide()

    run_async(story())
    errors.reports().problems.clear()


def test_without_a_checkpoint_nothing_is_begun_again_before_it_was_asked(tmp_path, qapp):
    """A stopped run whose curves a new beginning would replace; the button says so itself."""
    data = recorded(tmp_path / "run", range(1, 13), 0.0)
    started, told = [], []
    steering = SimpleNamespace(start=lambda folder, **how: started.append((folder, how)))
    owner = QObject()
    controls = Controls(steering, lambda: shown, lambda _: "", owner)
    controls.told.connect(told.append)
    for attempt, act in enumerate((controls.play, controls.step), 1):
        shown = replace(data, attempts=attempt)
        act()
        assert len(started) == attempt - 1 and "again at step 0" in told[-1]
        act()
        assert len(started) == len(told) == attempt
    shown = replace(data, attempts=3)
    controls.press("again")
    shown = replace(data, attempts=4, checkpoints={10: tmp_path})
    controls.play()
    assert len(started) == 4 and len(told) == 2


def test_a_hidden_pane_reads_no_run_and_catches_up_when_it_is_shown(make_pane, run_async):
    async def story():
        pane = make_pane(steps="4000")
        pane.widget().window().show()
        pane.shown()
        folder = await started(pane, 2)
        pane.left()
        assert not pane.follower.polls
        pane.shown()
        assert pane.follower.polls
        pane.controls.press("stop")
        await until(lambda: state_of(pane) == "stopped", "the stop")
        await until(lambda: not pane.context.runs.running_here(folder), "the trainer's end")
        pane.left()
        pane.widget().window().hide()

    run_async(story())
