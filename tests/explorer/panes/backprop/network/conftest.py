"""The mode Network, shown in a pane of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest

SCENE = "backprop.network.scene"


def session(mode: Any) -> dict[str, Any]:
    """Every path of the workspace, as a file holds it."""
    return json.loads(json.dumps(mode.workspace.state()))


@pytest.fixture
def pane(make_pane) -> Any:
    return make_pane("network")


@pytest.fixture
def mode(pane) -> Any:
    return pane.modes["network"]
