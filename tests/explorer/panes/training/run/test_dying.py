"""Trainers that die before they have opened their run folder, and runs that nobody looks at."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from explorer.engine import errors
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
