"""The mode Network, shown in a pane of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from PySide6.QtWidgets import QToolButton

SCENE = "backprop.network.scene"


def session(mode: Any) -> dict[str, Any]:
    """Every path of the workspace, as a file holds it."""
    return json.loads(json.dumps(mode.workspace.state()))


def neuron_buttons(view: Any) -> list[QToolButton]:
    """Those in sight that add a neuron to a layer or take one away."""
    buttons = view.network.findChildren(QToolButton)
    return [one for one in buttons if one.isVisible() and "neuron" in one.accessibleName()]


@pytest.fixture
def pane(make_pane) -> Any:
    return make_pane("network")


@pytest.fixture
def mode(pane) -> Any:
    return pane.modes["network"]
