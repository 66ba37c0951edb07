"""The followers of a run: the last one asked for is the one that is followed."""

from __future__ import annotations

import asyncio
import threading

import pytest

from core.training import RunReader, new_run_folder
from explorer import tasks
from explorer.follow import RunFollower
from explorer.live import Runs
from explorer.panes.training.follow import Follower
from tests.explorer.demo import tiny_training


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
            gate.wait(10)
        original(self, folder, *args, **kwargs)

    monkeypatch.setattr(RunReader, "__init__", held)
    return gate


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


def test_a_run_that_opens_late_does_not_replace_the_newer_one(
    engine, tmp_path, folders, slow, run_async
):
    async def body():
        follower = RunFollower(engine, Runs(engine, tmp_path))
        shown = []
        follower.refreshed.connect(lambda reader: shown.append(reader.folder))
        follower.follow(str(folders[0]))
        follower.follow(str(folders[1]))
        await until(lambda: follower.reader is not None)
        slow.set()
        await tasks.wait_for(follower)
        follower.stop()
        return follower.reader.folder, shown

    assert run_async(body()) == (folders[1], [folders[1]])


def test_a_run_that_cannot_be_read_does_not_keep_the_newer_one_away(
    engine, tmp_path, folders, slow, run_async
):
    async def body():
        follower = Follower(engine, Runs(engine, tmp_path), engine)
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
        follower = Follower(engine, Runs(engine, tmp_path), engine)
        follower.follow(folders[0])
        await until(lambda: follower.data is not None)
        polls = [follower._timer.isActive()]
        follower.run(False)
        polls.append(follower._timer.isActive())
        follower.follow(folders[1])
        await until(lambda: follower.data is not None)
        polls.append(follower._timer.isActive())
        follower.run(True)
        polls.append(follower._timer.isActive())
        await until(lambda: not tasks.running(engine))
        follower.follow(None)
        return polls

    assert run_async(body()) == [True, False, False, True]


def test_a_run_may_be_let_go_before_its_first_look_begins(engine, tmp_path, folders, run_async):
    async def body():
        follower = Follower(engine, Runs(engine, tmp_path), engine)
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
