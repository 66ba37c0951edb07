"""What a run was asked to be: it counts for that run alone, until its folder says so."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QObject, Signal

from core.training import new_run_folder
from core.training.reader import RunReader
from explorer.engine import tasks
from explorer.engine.jobs import EngineDied
from explorer.runs.live import Runs
from explorer.runs.requested import COMMANDS, RequestedStates
from explorer.runs.run_data import read
from explorer.runs.steering import Steering
from tests.explorer.demo import tiny_training
from tests.explorer.waiting import until

from .conftest import started, state_of, step_of


def run_that_is(state, folder, name="run"):
    """A run as its folder tells it."""
    return replace(read(RunReader(new_run_folder(folder, name, tiny_training()))), state=state)


class Trainers(QObject):
    changed = Signal(str)

    def __init__(self):
        super().__init__()
        self.training = set()
        self.requested = RequestedStates(self)

    def running_here(self, folder):
        return str(folder) in self.training

    def steer(self, folder, command):
        self.requested.ask(folder, COMMANDS[command])
        return asyncio.sleep(0)

    async def place(self, folder, chosen):
        return "thread"

    async def launch(self, folder, backend, paused=False):
        self.training.add(str(folder))


def test_the_end_of_one_run_leaves_the_wish_for_another(engine, tmp_path, run_async):
    async def body():
        runs, owner = Trainers(), QObject(engine)
        steering = Steering(engine, runs, None, owner)
        looked_at, other = (
            run_that_is("running", tmp_path, name) for name in ("looked-at", "other")
        )
        runs.training = {str(looked_at.folder), str(other.folder)}
        steering.pause(looked_at.folder)
        states = [steering.state(looked_at), steering.state(other)]
        runs.training.remove(str(other.folder))
        runs.changed.emit(str(other.folder))
        states.append(steering.state(looked_at))
        states.append(steering.state(replace(looked_at, state="paused")))
        states.append(steering.state(looked_at))  # resumed by another window
        steering.stop(looked_at.folder)
        runs.training.clear()
        runs.changed.emit(str(looked_at.folder))  # its trainer died instead
        states.append(steering.state(looked_at))  # as its folder was read before that
        states.append(steering.state(replace(looked_at, state="dead")))
        return [*states, steering.state(looked_at)]

    expected = ["paused", "running", "paused", "paused", "running", "stopped", "dead", "running"]
    assert run_async(body()) == expected


def test_a_run_that_stops_never_shows_that_it_trains_again(engine, tmp_path, run_async):
    """Its trainer is gone before its folder is read again; but another program may take it up."""

    async def body():
        runs = Trainers()
        steering = Steering(engine, runs, None, QObject(engine))
        run = replace(run_that_is("running", tmp_path), attempts=1)
        runs.training = {str(run.folder)}
        steering.stop(run.folder)
        states = [steering.state(run)]
        runs.training.clear()
        runs.changed.emit(str(run.folder))
        states.append(steering.state(run))
        return [*states, steering.state(replace(run, attempts=2))]

    assert run_async(body()) == ["stopped", "stopped", "running"]


@pytest.mark.parametrize("end", ["stopped", "dead"])
def test_a_wish_does_not_outlive_a_run_that_another_program_trained(
    engine, tmp_path, run_async, end
):
    """No trainer of this window tells of its end."""

    async def body():
        trainers = Trainers()
        steering = Steering(engine, trainers, None, QObject(engine))
        run = run_that_is("running", tmp_path)
        steering.pause(run.folder)
        states = [steering.state(run), steering.state(replace(run, state=end))]
        return [*states, trainers.requested.of(run.folder)]

    assert run_async(body()) == ["paused", end, None]


def test_what_one_has_read_of_a_run_is_true_for_all_that_show_it(engine, tmp_path, run_async):
    """The strip sees that it is paused; the pane has not read it again."""

    async def body():
        trainers = Trainers()
        run = replace(run_that_is("running", tmp_path), news=7)
        trainers.training = {str(run.folder)}
        steering = Steering(engine, trainers, None, QObject(engine))
        steering.pause(run.folder)
        states = [trainers.requested.state(run.folder, "paused", 0, news=8), steering.state(run)]
        return [*states, steering.state(replace(run, state="paused", news=8))]

    assert run_async(body()) == ["paused"] * 3


@pytest.mark.parametrize("before", ["stopped", "failed", "dead"])
def test_a_run_that_is_being_started_here_is_wished_to_run_until_it_does(
    engine, tmp_path, run_async, before
):
    async def body():
        trainers = Trainers()
        steering = Steering(engine, trainers, SimpleNamespace(run_in="thread"), QObject(engine))
        run = run_that_is(before, tmp_path)
        steering.start(run.folder)
        states = [steering.state(run)]
        await until(lambda: trainers.training)
        states.append(steering.state(run))
        steering.pause(run.folder)  # before its folder says that it trains
        states.append(steering.state(run))
        trainers.training.clear()
        trainers.changed.emit(str(run.folder))
        return [*states, steering.state(run)]

    assert run_async(body()) == ["running", "running", "paused", before]


def test_an_engine_that_has_died_refuses_a_start_and_leaves_no_wish_and_no_folder(
    engine, tmp_path, run_async
):
    async def body():
        runs, owner, said = Runs(engine, tmp_path / "runs"), QObject(engine), []
        steering = Steering(engine, runs, SimpleNamespace(run_in="thread"), owner)
        steering.refused.connect(said.append)
        stopped = run_that_is("stopped", tmp_path / "runs", "stopped")
        kept = stopped.folder / "checkpoints" / "step-000004"
        kept.mkdir(parents=True)
        (kept / "training.json").write_text("{}")

        def dead(*_, **__):
            raise EngineDied("choose Restart")

        engine.run = dead
        steering.start(stopped.folder)
        steering.begin(tiny_training(), "begun", "thread")
        steering.branch(stopped.folder, 4, {}, "branched")
        await tasks.wait_for(owner)
        left = [path.name for path in runs.folder().iterdir() if path.is_dir()]
        return said, runs.requested.of(stopped.folder), steering.state(stopped), left

    said, wish, state, left = run_async(body())
    assert said == ["choose Restart"] * 3
    assert (wish, state, left) == (None, "stopped", ["stopped"])


def test_a_run_is_never_read_on_the_gui_thread_while_it_starts(make_pane, run_async, monkeypatch):
    """Begun, stopped and resumed: a long run takes a while to be read."""
    reads = []
    read = RunReader.__init__

    def counted(reader, *given, **named):
        reads.append(threading.current_thread() is threading.main_thread())
        read(reader, *given, **named)

    monkeypatch.setattr(RunReader, "__init__", counted)

    async def story():
        pane = make_pane(steps="4000", checkpoint_every="2")
        folder = await started(pane, 3)
        pane.controls.press("stop")
        await until(lambda: state_of(pane) == "stopped", "the stop")
        await until(lambda: not pane.context.runs.running_here(folder), "the trainer's end")
        before = step_of(pane)
        pane.controls.play()
        await until(lambda: step_of(pane) > before, "the run goes on")
        pane.controls.press("stop")
        await until(lambda: state_of(pane) == "stopped", "the stop")
        await until(lambda: not pane.context.runs.running_here(folder), "the trainer's end")
        await pane.settled()

    run_async(story())
    assert reads and not any(reads)
