"""The followers of a run: the last one asked for is the one that is followed."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path

import numpy as np
import pytest

from core.training import RunReader, new_run_folder
from core.training.writer import RunWriter
from explorer.engine import errors, tasks
from explorer.runs.follower import Follower
from explorer.runs.live import Runs
from explorer.shell.follow import SLOW, RunFollower, see, where
from tests.explorer.demo import tiny_training
from tests.explorer.waiting import HANGS, timer_of, until


@pytest.fixture
def folders(tmp_path):
    return [new_run_folder(tmp_path, name, tiny_training()) for name in ("first", "second")]


@pytest.fixture
def slow(monkeypatch):
    """Reading the run named "first" waits for this event."""
    gate = threading.Event()
    original = RunReader.__init__

    def held(self, folder, *args, **kwargs):
        if str(folder).endswith("first"):
            gate.wait(HANGS)
        original(self, folder, *args, **kwargs)

    monkeypatch.setattr(RunReader, "__init__", held)
    return gate


async def quiet(*owners):
    await until(lambda: not any(tasks.running(owner) for owner in owners))


class Here(Runs):
    """Runs of which the test says which train here."""

    def __init__(self, engine, folder):
        super().__init__(engine, folder)
        self.training = []

    def running_here(self, folder):
        return Path(folder) in self.training

    @property
    def live(self):
        return list(self.training)


def test_a_run_that_opens_late_does_not_replace_the_newer_one(
    engine, tmp_path, folders, slow, run_async
):
    async def body():
        follower = RunFollower(engine, Runs(engine, tmp_path))
        shown = []
        follower.changed.connect(lambda: shown.append(follower.selected))
        follower.follow(str(folders[0]))
        follower.follow(str(folders[1]))
        await until(lambda: follower.selected is not None)
        slow.set()
        await tasks.wait_for(follower)
        follower.stop()
        return follower.selected.folder, {one.folder for one in shown if one is not None}

    assert run_async(body()) == (str(folders[1]), {str(folders[1])})


def test_runs_that_train_here_are_followed_whatever_is_selected(
    engine, tmp_path, folders, run_async
):
    """The selected run is shown if it trains, else the newest that does; ended ones drop out."""

    async def body():
        runs = Here(engine, tmp_path)
        follower = RunFollower(engine, runs)
        seen = []

        async def note():
            await tasks.wait_for(follower)
            shown = follower.shown
            names = [run.name for run in follower.training]
            seen.append((shown and (shown.name, shown.state), names))

        for folder in folders:
            runs.training.append(folder)
            runs.changed.emit(str(folder))
        await note()
        follower.follow(str(folders[0]))
        await note()
        follower.follow(None)
        await note()
        runs.training.remove(folders[1])
        runs.changed.emit(str(folders[1]))
        await note()
        follower.follow(str(folders[1]))
        await note()
        runs.training.clear()
        runs.changed.emit(str(folders[0]))
        await note()
        follower.stop()
        return seen

    assert run_async(body()) == [
        (("second", "preparing"), ["second", "first"]),
        (("first", "preparing"), ["second", "first"]),
        (("second", "preparing"), ["second", "first"]),
        (("first", "preparing"), ["first"]),
        (("first", "preparing"), ["first"]),
        (("second", "stopped"), []),
    ]


def test_a_run_says_what_it_computes_on(engine, folders, run_async):
    writer = RunWriter(folders[0])
    reader = RunReader(folders[0])
    assert where(reader) == ""
    writer.event("model", 0, {"parameters": 9, "device": "cuda:1", "ranks": 4, "threads": 1})
    reader.refresh()
    assert where(reader) == "cuda:1, fp32, 4 ranks, 1 thread"
    writer.event("model", 0, {"parameters": 9})  # of an older version
    reader.refresh()
    assert where(reader) == "cpu, fp32, 1 rank"
    writer.close()


def test_all_who_show_a_run_read_it_in_turn(engine, tmp_path, folders, run_async):
    """Also when one of them has gone away while it read."""
    inside, most, go = [], [], threading.Event()

    def see(reader, news):
        inside.append(reader)
        most.append(len(inside))
        go.wait(HANGS)
        inside.pop()
        return reader, news

    async def body():
        runs = Runs(engine, tmp_path)
        looks = [asyncio.ensure_future(runs.tail(folders[0]).look(see)) for _ in range(3)]
        await until(lambda: inside)
        looks[0].cancel()
        await until(lambda: looks[0].cancelled())
        go.set()
        seen = await asyncio.gather(*looks[1:])
        RunWriter(folders[0]).close()
        return [*seen, await runs.tail(folders[0]).look(see)]

    seen = run_async(body())
    assert most == [1] * len(most) and len(most) >= 3
    assert [news for _, news in seen[:2]] == [1, 1]


def test_the_strip_tells_the_step_that_the_pane_tells(engine, tmp_path, folders, run_async):
    """Both show the same look at the run; the strip asks by itself where no pane does."""

    async def body():
        runs = Runs(engine, tmp_path)
        pane, strip = Follower(runs, engine), RunFollower(engine, runs)
        steps = []
        pane.changed.connect(lambda data: steps.append((data.step, strip.selected.step)))
        strip.follow(str(folders[0]))
        await until(lambda: strip.selected is not None)
        pane.follow(folders[0])
        await quiet(engine, strip)
        pane.run(False)  # from here on it looks when it is told to
        writer = RunWriter(folders[0])
        for step in (1, 2, 3):
            writer.step({"step": step, "loss": 2.0})
            pane.look()
            await quiet(engine)
        writer.step({"step": 4, "loss": 2.0})
        timer_of(strip).timeout.emit()  # the pane has looked since the last tick
        await quiet(engine, strip)
        waited = strip.selected.step
        timer_of(strip).timeout.emit()
        await quiet(engine, strip)
        writer.close()
        pane.follow(None)
        strip.stop()
        return steps, waited, strip.selected.step

    steps, waited, last = run_async(body())
    assert steps[-3:] == [(1, 1), (2, 2), (3, 3)] and (waited, last) == (3, 4)


def test_a_run_that_cannot_be_read_does_not_keep_the_newer_one_away(
    engine, tmp_path, folders, slow, run_async
):
    async def body():
        follower = Follower(Runs(engine, tmp_path), engine)
        failed = []
        follower.failed.connect(failed.append)
        follower.follow(folders[0])
        await asyncio.sleep(0)
        (folders[0] / "run.json").unlink()
        follower.follow(folders[1])
        slow.set()
        await until(lambda: not tasks.running(engine))
        seen = follower.data
        follower.follow(None)
        return seen, failed

    data, failed = run_async(body())
    assert data is not None and data.folder == folders[1]
    assert failed == []


def test_a_run_is_read_again_only_while_somebody_looks(engine, tmp_path, folders, run_async):
    async def body():
        follower = Follower(Runs(engine, tmp_path), engine)
        follower.follow(folders[0])
        await until(lambda: follower.data is not None)
        polls = [follower.polls]
        follower.run(False)
        polls.append(follower.polls)
        follower.follow(folders[1])
        await until(lambda: follower.data is not None)
        polls.append(follower.polls)
        follower.run(True)
        polls.append(follower.polls)
        await until(lambda: not tasks.running(engine))
        follower.follow(None)
        return polls

    assert run_async(body()) == [True, False, False, True]


def test_a_run_may_be_let_go_before_its_first_look_begins(engine, tmp_path, folders, run_async):
    async def body():
        follower = Follower(Runs(engine, tmp_path), engine)
        failed = []
        follower.failed.connect(failed.append)
        follower.follow(folders[0])
        follower.follow(None)
        await until(lambda: not tasks.running(engine))
        follower.follow(folders[0])  # and looked at again
        await until(lambda: follower.data is not None)
        follower.follow(None)
        return failed

    assert run_async(body()) == []


def test_a_run_that_could_not_be_read_for_a_moment_is_followed_on(
    engine, tmp_path, folders, run_async, caplog
):
    """A disk that is away for a moment: said once, and read again when it is back."""
    manifest = folders[0] / "run.json"

    async def body():
        runs = Runs(engine, tmp_path)
        pane, strip = Follower(runs, engine), RunFollower(engine, runs)
        troubles, seen = [], []
        pane.failed.connect(troubles.append)
        pane.follow(folders[0])
        strip.follow(str(folders[0]))
        await until(lambda: pane.data is not None and strip.selected is not None)
        manifest.rename(manifest.with_suffix(".away"))
        for _ in range(3):
            pane.look()
            timer_of(strip).timeout.emit()
            await quiet(engine, strip)
        seen.append((pane.polls, strip.polls))
        manifest.with_suffix(".away").rename(manifest)
        writer = RunWriter(folders[0])
        writer.step({"step": 1, "loss": 2.0})
        pane.look()
        timer_of(strip).timeout.emit()
        await quiet(engine, strip)
        seen.append((pane.data.step, strip.selected.step))
        writer.close()
        pane.follow(None)
        strip.stop()
        return troubles, seen

    caplog.set_level(logging.CRITICAL)
    troubles, seen = run_async(body())
    assert len(troubles) == 1 and seen == [(True, True), (1, 1)]
    assert [problem.count for problem in errors.reports().problems.values()] == [1]
    errors.reports().problems.clear()


def test_a_stopped_run_that_another_program_takes_up_is_seen_by_all(
    engine, tmp_path, folders, run_async
):
    async def body():
        writer = RunWriter(folders[0])
        writer.event("end", 0, {"reason": "stopped"})
        writer.close()
        strip = RunFollower(engine, Runs(engine, tmp_path))
        strip.follow(str(folders[0]))
        await until(lambda: strip.selected is not None)
        states = [strip.selected.state]
        timer_of(strip).timeout.emit()
        await quiet(engine, strip)
        pace = timer_of(strip).interval() if strip.polls else None
        writer = RunWriter(folders[0])  # by another program
        timer_of(strip).timeout.emit()
        await quiet(engine, strip)
        states.append(strip.selected.state)
        writer.close()
        strip.stop()
        return states, pace

    states, pace = run_async(body())
    assert states == ["stopped", "running"] and pace == SLOW


def test_an_answer_to_a_look_is_no_picture_of_the_cadence(folders):
    writer = RunWriter(folders[0])
    for step in range(1, 9):
        writer.step({"step": step})
    writer.probe(4, {"ids": np.arange(3)})
    writer.probe(8, {"ids": np.arange(3)}, "look-1")
    assert see(RunReader(folders[0]), 0).probe == 4
    writer.event("end", 8, {"reason": "stopped"})
    assert see(RunReader(folders[0]), 0).probe is None, "its newest checkpoint is looked at"
    writer.close()


def test_what_needs_a_person_reaches_the_strip(folders):
    """Gradients that overflow at every step, whatever the loss scale."""
    writer = RunWriter(folders[0])
    for step in range(1, 31):
        writer.step({"step": step, "loss": 3.0, "skipped": step > 20})
    assert "skipped" in see(RunReader(folders[0]), 0).status.alerts[0]
    writer.event("end", 30, {"reason": "stopped"})
    assert see(RunReader(folders[0]), 0).status.alerts == ()
    writer.close()
