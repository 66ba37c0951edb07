"""A session that ends at its first instant: nothing is left that would touch what is gone."""

from __future__ import annotations

import asyncio

import pytest
import shiboken6
from PySide6.QtCore import QObject

from explorer import theme
from explorer.engine import errors, tasks
from explorer.shell.session import Session
from tests.explorer.conftest import dispose
from tests.explorer.demo import spec
from tests.explorer.waiting import HANGS


@pytest.fixture
def session(qapp, tmp_path):
    errors.reports().problems.clear()
    theme.apply(qapp, "light", 1.0, "full")
    session = Session(
        folder=tmp_path / "config",
        runs_folder=tmp_path / "runs",
        specs=(spec("demo", "Demo"),),
        with_torch=False,
    )
    yield session
    dispose(session)
    errors.reports().problems.clear()


@pytest.mark.parametrize("begun", [False, True])
def test_what_was_asked_for_has_ended_before_the_window_is_taken_apart(session, run_async, begun):
    """Also what was asked for by the end of something else; whether or not the engine has begun."""
    ended = []
    window = session.open()
    window.show()

    async def asked(again: bool):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(shiboken6.isValid(window) and window.objectName())
            if again:
                tasks.spawn(asked(False), window)
                await asyncio.sleep(0)

    async def story():
        if begun:
            session.engine.start()
        tasks.spawn(asked(True), window)
        await asyncio.sleep(0)
        await session.close(HANGS)
        return list(ended), tasks.running()

    found, left = run_async(story())
    assert left == [] and set(found) == {"window"}
    assert not errors.reports().problems


def test_a_failure_whose_owner_is_gone_is_told_all_the_same(session, run_async, caplog):
    caplog.set_level("CRITICAL")

    async def story():
        owner = QObject()

        async def fails():
            try:
                await asyncio.Event().wait()
            finally:
                raise RuntimeError("too late")

        tasks.spawn(fails(), owner)
        await asyncio.sleep(0)
        shiboken6.delete(owner)
        for _ in range(3):
            await asyncio.sleep(0)

    run_async(story())
    (problem,) = errors.reports().problems.values()
    assert (problem.where, problem.text) == ("background work", "too late")
