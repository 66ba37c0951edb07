"""Looks at a live run whose trainer is played by hand: what is asked, answered, and left behind."""

from __future__ import annotations

import asyncio
import os
import threading

import numpy as np
import pytest

from core.tensor_files import write_tensors
from core.training import RunControl, new_run_folder
from explorer.engine.jobs import SUPERSEDED
from explorer.runs.run_source import RunSource
from explorer.runs.tail import Tail
from tests.explorer.demo import tiny_training
from tests.explorer.waiting import HANGS


class Trainer:
    """A run folder in which nobody trains; `answer` writes what a trainer would."""

    def __init__(self, folder):
        self.folder = folder
        self.asked = []
        self.control = RunControl(folder)
        probe = self.control.probe
        self.control.probe = lambda id, *args: (self.asked.append(id), probe(id, *args))[1]

    def answer(self, number, step):
        arrays = {"ids": np.array([1, 2]), "attention": np.full((1, 1, 2, 2), step, np.float32)}
        return self.write(self.asked[number], step, arrays)

    def write(self, name, step, arrays):
        path = self.folder / "probes" / f"{name}-step-{step:06d}.safetensors"
        path.parent.mkdir(exist_ok=True)
        write_tensors(path, arrays)
        return path

    def left(self):
        return sorted(path.name for path in (self.folder / "probes").iterdir())

    async def until_asked(self, number):
        while len(self.asked) < number:
            await asyncio.sleep(0)


@pytest.fixture
def trainer(tmp_path):
    return Trainer(new_run_folder(tmp_path, "run", tiny_training()))


def test_answers_that_nobody_waits_for_are_deleted(engine, trainer, run_async):
    async def body():
        source = RunSource(engine, trainer.control, Tail(engine, trainer.folder))
        first = asyncio.ensure_future(source.capture([1, 2], key="heads"))
        await trainer.until_asked(1)
        second = asyncio.ensure_future(source.capture([1, 2], key="heads"))
        await trainer.until_asked(2)
        superseded = await first
        second.cancel()
        await asyncio.wait([second])
        third = asyncio.ensure_future(source.capture([1, 2], key="heads"))
        await trainer.until_asked(3)
        for number in range(3):
            trainer.answer(number, 5)
        found = await third
        return superseded, found

    superseded, found = run_async(body())
    assert superseded is SUPERSEDED
    assert found.attention[0, 0, 0, 0] == 5
    assert trainer.left() == []


def test_what_a_crashed_app_left_is_deleted_and_nothing_else(engine, trainer, run_async):
    arrays = {"ids": np.array([1, 2])}
    old = trainer.write("look-9-7f00-1", 2, arrays)
    os.utime(old, (1, 1))
    young = trainer.write("look-of-another-window", 2, arrays)
    kept = trainer.folder / "probes" / "step-000002.safetensors"
    write_tensors(kept, arrays)
    os.utime(kept, (1, 1))

    async def body():
        source = RunSource(engine, trainer.control, Tail(engine, trainer.folder))
        look = asyncio.ensure_future(source.capture([1, 2]))
        await trainer.until_asked(1)
        trainer.answer(0, 3)
        await look

    run_async(body())
    assert trainer.left() == sorted([young.name, kept.name])


def test_a_look_bears_the_step_of_its_own_answer(engine, trainer, run_async):
    async def body():
        source = RunSource(engine, trainer.control, Tail(engine, trainer.folder))
        look = asyncio.ensure_future(source.look([1, 2]))
        await trainer.until_asked(1)
        trainer.answer(0, 7)
        source.set_version(9)  # the run has learned on
        return await look, source.version

    look, version = run_async(body())
    assert (look.version, version) == (7, 9)


def test_steps_only_grow_within_an_attempt(engine, trainer):
    """Answers and pictures are heard of in any order; the next attempt may begin earlier."""
    source = RunSource(engine, trainer.control, Tail(engine, trainer.folder))
    heard = [(7, 1), (4, 1), (9, 1), (6, 2), (5, 2)]
    versions = [source.set_version(*one) or source.version for one in heard]
    assert versions == [7, 7, 9, 6, 6]
    source.set_version(3)  # a checkpoint: the model that is looked at now
    assert source.version == 3


def test_no_two_threads_read_the_run_at_once(engine, trainer, run_async):
    go, entered = threading.Event(), []

    async def body():
        tail = Tail(engine, trainer.folder)
        source = RunSource(engine, trainer.control, tail)
        reader = await tail.look(lambda reader, _: reader)
        refresh = reader.refresh

        def slow():
            entered.append(threading.current_thread())
            go.wait(HANGS)
            return refresh()

        reader.refresh = slow
        looks = [
            asyncio.ensure_future(source.capture([1, 2])),
            asyncio.ensure_future(source.trace_attention([1, 2], 0, 0)),
        ]
        while not entered:
            await asyncio.sleep(0)
        for _ in range(5):
            await engine.io(int)
        together = len(entered)
        go.set()
        for look in looks:
            look.cancel()
        await asyncio.wait(looks)
        return together

    assert run_async(body()) == 1
