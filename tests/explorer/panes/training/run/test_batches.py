"""The batch of a step is read when somebody looks: of the run and step that are looked at now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject

from explorer.engine.engine import Engine
from explorer.panes.training.run import batches
from explorer.panes.training.run.batches import BatchReader
from tests.explorer.conftest import dispose

A, B = Path("runs/a"), Path("runs/b")


class Read:
    """What `read` of a source gives: one sequence of three ids."""

    def __init__(self, step: int) -> None:
        self.ids = np.full((1, 3), step)
        self.targets = np.full((1, 3), -1)
        self.pieces = {step: b"a"}


class Source:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, step: int) -> Read:
        if step < 0:
            raise ValueError("there is no such step; choose another")
        return Read(step)


@pytest.fixture
def opened(monkeypatch):
    """The folders whose text was opened to the end; "lost" cannot be, and "endless" has none."""
    known: list[Path] = []

    def opening(folder: Path):
        for _ in range(20):
            yield
        while folder.name == "endless":
            yield
        if folder.name == "lost":
            raise ValueError("the text is gone; put it back")
        known.append(folder)
        return Source(folder)

    monkeypatch.setattr(batches, "open_batches", opening)
    return known


@pytest.fixture
def owner(qapp):
    owner = QObject()
    yield owner
    dispose(owner)


async def settled(reading: BatchReader) -> None:
    from explorer.engine import tasks

    await tasks.wait_for(reading.parent())


def test_the_newest_run_and_step_are_read(engine, owner, run_async, opened):
    reading = BatchReader(engine, owner)

    async def body():
        assert reading.batch(Path("runs/endless"), 3) is None
        assert reading.batch(B, 4) is None
        assert reading.batch(B, 5) is None
        await settled(reading)
        assert reading.batch(B, 5).table["ids"].tolist() == [[5, 5, 5]]
        assert reading.batch(B, 6) is None
        await settled(reading)
        assert reading.batch(B, 6).table["ids"].tolist() == [[6, 6, 6]]

    run_async(body())
    assert opened == [B], "once, and no step waits for a run that nobody looks at"


def test_what_cannot_be_read_says_why_and_is_tried_again(engine, owner, run_async, opened):
    reading = BatchReader(engine, owner)
    lost = Path("runs/lost")

    async def body():
        reading.batch(lost, 3)
        await settled(reading)
        assert reading.batch(lost, 3).why == "the text is gone; put it back"
        assert reading.batch(lost, 4) is None
        await settled(reading)
        assert "put it back" in reading.batch(lost, 4).why
        reading.batch(A, -2)
        await settled(reading)
        assert reading.batch(A, -2).why == "there is no such step; choose another"

    run_async(body())


def test_a_dead_engine_is_said_once(owner, run_async, opened):
    engine = Engine(with_torch=False)
    engine.start()
    reading = BatchReader(engine, owner)
    reading.read.connect(lambda: reading.batch(A, 3))  # as the inspector does

    def poison():
        raise SystemExit

    async def body():
        with pytest.raises(RuntimeError):
            await engine.call(poison)
        reading.batch(A, 3)
        assert "Restart" in reading.batch(A, 3).why
        await engine.close()

    run_async(body())
    dispose(engine)
