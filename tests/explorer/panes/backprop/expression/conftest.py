"""The mode Expression, shown in a pane of its own; its tests run inside the event loop."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from explorer.panes.backprop.expression.compute import compute
from explorer.panes.backprop.expression.graph_picture import GraphPicture
from explorer.panes.backprop.expression.presets import EXAMPLES
from explorer.panes.backprop.expression.scene import scene_of


@pytest.fixture
def pane(make_pane):
    return make_pane("expression")


@pytest.fixture
def mode(pane):
    return pane.modes["expression"]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: Any) -> bool | None:
    """A test of the pane runs as in the app, in the event loop, until the pane has settled."""
    known = pyfuncitem.funcargs
    if "pane" not in known:
        return None
    names = pyfuncitem._fixtureinfo.argnames

    async def body() -> None:
        found = pyfuncitem.obj(**{name: known[name] for name in names})
        if inspect.isawaitable(found):
            await found
        await known["pane"].settled()

    known["run_async"](body(), 60)
    return True


def value(mode: Any, name: str) -> Any:
    """What a leaf of the formula holds."""
    return mode.computed.value(mode.computed.leaves[name])


def told(pane: Any) -> list[Any]:
    """Grows by each thing that the inspector is told."""
    found: list[Any] = []
    pane.inspection.connect(found.append)
    return found


def scene(name):
    one = next(one for one in EXAMPLES if one.id == name)
    return scene_of(compute(one.text, one.values))


def show(picture, made):
    """A scene, laid out for the picture's room."""
    picture.set_scene(scene_of(made.computed, picture.scene, picture.room))


@pytest.fixture
def picture(qtbot):
    made = GraphPicture()
    qtbot.addWidget(made)
    made.resize(900, 420)
    show(made, scene("neuron"))
    made.show()
    return made


def heard(signal):
    found = []
    signal.connect(lambda *what: found.append(what))
    return found
