"""Coroutines with an owner: kept alive, reported if they fail, cancelled with their owner."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import shiboken6
from PySide6.QtCore import QObject

_running: dict[asyncio.Task[Any], QObject | None] = {}
_owners: set[int] = set()  # ids of owners whose `destroyed` is connected


def spawn(coroutine: Coroutine[Any, Any, Any], owner: QObject | None = None) -> asyncio.Task[Any]:
    """Starts `coroutine`; an exception becomes an error card, and the owner's end cancels it."""
    task = asyncio.get_running_loop().create_task(coroutine)
    _running[task] = owner
    if owner is not None and id(owner) not in _owners:
        # One connection per owner: a pane that polls starts many tasks.
        key = id(owner)
        _owners.add(key)
        owner.destroyed.connect(lambda: _on_owner_gone(key))
    task.add_done_callback(_on_done)
    return task


def in_loop() -> bool:
    """True if coroutines can be started: Qt sends events even while the asyncio loop is blocked."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def running(owner: QObject | None = None) -> list[asyncio.Task[Any]]:
    """Returns the unfinished tasks, all of them or those of one owner.

    A task that started while its loop closed can never go on, so it is ended here.
    """
    for task in [task for task in _running if task.get_loop().is_closed()]:
        del _running[task]
        task.get_coro().close()  # or it warns when it is collected
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # as asyncio.gather does
    return [task for task, by in _running.items() if owner is None or by is owner]


def cancel_all(owner: QObject | None = None) -> None:
    for task in running(owner):
        task.cancel()


async def end_all(limit: float) -> None:
    """Cancels every task, even those that others start while they end, and returns once none is
    left, or after `limit` seconds: then the objects that they use can be deleted.
    """
    deadline = time.monotonic() + limit
    while left := [task for task in running() if task is not asyncio.current_task()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=max(0.0, deadline - time.monotonic()))
        if time.monotonic() >= deadline:
            return


async def wait_for(owner: QObject | None = None) -> None:
    """Returns once no task of the owner is left, including those that its tasks start."""
    while tasks := [task for task in running(owner) if task is not asyncio.current_task()]:
        await asyncio.wait(tasks)


def _on_owner_gone(key: int) -> None:
    _owners.discard(key)
    for task, owner in list(_running.items()):
        if id(owner) == key:
            task.cancel()


def _on_done(task: asyncio.Task[Any]) -> None:
    owner = _running.pop(task, None)
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        from explorer.engine import errors

        known = owner is not None and shiboken6.isValid(owner)  # it may be deleted by now
        where = owner.objectName() if owner is not None and known else "background work"
        errors.report(error, where, errors.subject_of(error))
