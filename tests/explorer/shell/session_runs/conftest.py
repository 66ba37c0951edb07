"""A session with runs."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import pytest

from core.training import new_run_folder
from core.training.control import ControlLog, RunControl
from core.training.writer import RunWriter
from explorer import theme
from explorer.engine import errors
from explorer.shell.session import Session
from tests.explorer.conftest import dispose
from tests.explorer.demo import spec, tiny_training
from tests.explorer.waiting import HANGS


@pytest.fixture
def sitting(qapp, tmp_path, monkeypatch):
    """`async with sitting as session`: without torch; a run "trains" until its stop command."""
    errors.reports().problems.clear()
    theme.apply(qapp, "light", 1.0, "full")

    def training(folder, resume):
        log = ControlLog(folder)
        while not any(command.name == "stop" for command in log.commands):
            log.refresh()
            yield SimpleNamespace(safe=True, idle=0.01)

    monkeypatch.setattr("explorer.runs.live.training_steps", training)

    session = Session(
        folder=tmp_path / "config",
        runs_folder=tmp_path / "runs",
        specs=(spec("attention"), spec("training")),
        with_torch=False,
    )
    session.settings.callouts_seen = True
    session.open().show()

    @contextlib.asynccontextmanager
    async def started():
        session.engine.start()
        try:
            yield session
        finally:
            await session.close(HANGS)

    yield started()
    dispose(session)
    errors.reports().problems.clear()


def commands(folder):
    log = ControlLog(folder)
    log.refresh()
    return [command.name for command in log.commands if command.name != "start"]


@pytest.fixture
def stopped(tmp_path):
    """Four runs that were training when the last session ended."""
    folders = [new_run_folder(tmp_path / "runs", name, tiny_training(9)) for name in "abcd"]
    for folder in reversed(folders):  # the newest comes first
        RunControl(folder, SimpleNamespace(start=lambda folder, resume: None)).start()
        writer = RunWriter(folder)
        writer.step({"step": 4, "loss": 1.0, "seconds": 0.5 if folder.name == "b" else 0.01})
        (folder / "checkpoints" / "step-000004").mkdir()
        writer.event("end", 4, {"reason": "stopped", "message": ""})
        writer.close()
    return folders
