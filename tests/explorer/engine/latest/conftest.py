"""Who asks, and what is heard."""

from __future__ import annotations

import threading

import pytest
import shiboken6
from PySide6.QtCore import QObject

from explorer.engine import errors
from explorer.engine.latest import Latest
from tests.explorer.conftest import dispose


class Heard:
    """What a question said, in order."""

    def __init__(self, latest: Latest) -> None:
        self.said: list[tuple[str, object]] = []
        latest.progressed.connect(lambda items: self.said.extend(("item", one) for one in items))
        latest.came.connect(lambda result: self.said.append(("came", result)))
        latest.failed.connect(lambda message: self.said.append(("failed", message)))
        latest.ended.connect(lambda: self.said.append(("ended", None)))

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.said]


@pytest.fixture
def owner(qapp):
    owner = QObject()
    owner.setObjectName("the place")
    yield owner
    if shiboken6.isValid(owner):
        dispose(owner)


@pytest.fixture
def latest(engine, owner):
    return Latest(engine, owner)


@pytest.fixture
def heard(latest):
    return Heard(latest)


@pytest.fixture(autouse=True)
def no_problems_left():
    errors.reports().problems.clear()
    yield
    errors.reports().problems.clear()


def endless(begun: threading.Event, closed: threading.Event):
    try:
        while True:
            begun.set()
            yield 1
    finally:
        closed.set()
