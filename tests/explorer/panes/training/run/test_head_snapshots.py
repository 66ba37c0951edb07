"""Snapshots of the heads when the screen or the run changes while snapshots are being read."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal

from explorer.engine import tasks
from explorer.panes.training.run import compute
from explorer.panes.training.run.head_snapshots import HeadSnapshots
from explorer.panes.training.run.track import Moment
from tests.explorer.waiting import HANGS, until


class Mosaic(QObject):
    """Stands for the picture: remembers what it was last shown."""

    cellPixelsChanged = Signal(int)

    def __init__(self):
        super().__init__()
        self.cell_pixels, self.pooled = 4, None

    def set_pooled(self, maps):
        self.pooled = maps

    def resize_cells(self, pixels):
        self.cell_pixels = pixels
        self.cellPixelsChanged.emit(pixels)


@pytest.fixture
def film(engine, monkeypatch):
    gate, content = threading.Event(), [1]

    def load(paths, pixels):
        value = content[0]
        gate.wait(HANGS)
        return [np.full((1, 1, pixels, pixels), value, np.uint8) for _ in paths]

    monkeypatch.setattr(compute, "read_heads", load)
    picture = Mosaic()
    film = HeadSnapshots(engine, picture, engine)
    film.gate, film.content, film.picture = gate, content, picture
    return film


def moments():
    return [Moment(3, probe=Path("step-000003.safetensors"))]


async def read(engine, film):
    await until(lambda: not tasks.running(engine))


def test_cells_that_grow_while_heads_are_read_get_heads_of_their_size(engine, film, run_async):
    async def body():
        film.show(moments(), 0)
        film.picture.resize_cells(8)
        film.gate.set()
        await read(engine, film)

    run_async(body())
    assert film.picture.pooled is not None and film.picture.pooled.shape == (1, 1, 8, 8)


def test_a_picture_read_before_clear_is_not_shown_after_it(engine, film, run_async):
    async def body():
        film.show(moments(), 0)
        while not tasks.running(engine):
            await asyncio.sleep(0)
        for _ in range(3):
            await asyncio.sleep(0)
        film.clear()
        film.content[0] = 2
        film.show(moments(), 0)
        film.gate.set()
        await read(engine, film)

    run_async(body())
    assert film.picture.pooled is not None and film.picture.pooled.max() == 2
