"""What a run was asked to be: it counts for that run alone, until its folder says so."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from PySide6.QtCore import QObject, Signal

from core.training import new_run_folder
from core.training.reader import RunReader
from explorer.panes.training.follow import read
from explorer.panes.training.steering import Steering
from tests.explorer.demo import tiny_training


class Trainers(QObject):
    changed = Signal(str)

    def __init__(self):
        super().__init__()
        self.training = set()

    def running_here(self, folder):
        return str(folder) in self.training

    def control(self, folder):
        return SimpleNamespace(stop=lambda: 1, pause=lambda: 1)

    def wake(self, folder):
        pass


def test_the_end_of_one_run_leaves_the_wish_for_another(engine, tmp_path, run_async):
    async def body():
        runs, owner = Trainers(), QObject(engine)
        steering = Steering(engine, runs, None, owner)
        looked_at, other = (
            replace(
                read(RunReader(new_run_folder(tmp_path, name, tiny_training()))), state="running"
            )
            for name in ("looked-at", "other")
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
        return [*states, steering.state(looked_at)]

    assert run_async(body()) == ["paused", "running", "paused", "paused", "running", "running"]
