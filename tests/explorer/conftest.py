"""Engines that end with their test, and looks and problems that do."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import shiboken6
from PySide6.QtWidgets import QApplication

from tests import guards
from tests.explorer.waiting import HANGS


@pytest.fixture(autouse=True)
def own_looks() -> Iterator[None]:
    """The next test has the theme, zoom and motion that this one found."""
    from explorer import theme

    before = theme.current()
    yield
    app = QApplication.instance()
    if isinstance(app, QApplication) and theme.current() != before:
        theme.apply(app, before.name, before.zoom, before.motion)


@pytest.fixture(autouse=True)
def own_problems() -> None:
    """What a test before has reported, or reported so late that it has not come yet, is gone."""
    from explorer.engine import errors

    QApplication.sendPostedEvents(errors.reports())
    errors.reports().problems.clear()


@pytest.fixture
def engine(qapp) -> Iterator[object]:
    """A running engine without torch."""
    yield from _engine(with_torch=False)


@pytest.fixture
def torch_engine(qapp) -> Iterator[object]:
    """A running engine that has torch (imported before: no test waits for it)."""
    import torch  # noqa: F401

    yield from _engine(with_torch=True)


def _engine(*, with_torch: bool) -> Iterator[object]:
    from explorer.engine.engine import Engine

    engine = Engine(with_torch=with_torch)
    engine.start()
    yield engine
    assert engine.close_now(HANGS)
    dispose(engine)


def dispose(*things: object) -> None:
    """Deletes QObjects now. While Qt takes one apart it holds a lock that the death of another
    may need, so the garbage collector must not run in between: the thread would wait for itself.
    """
    was_enabled = gc.isenabled()
    guards.collect()
    gc.disable()
    try:
        for thing in things:
            shiboken6.delete(thing)
    finally:
        if was_enabled:  # while an engine lives, its thread must not collect
            gc.enable()
