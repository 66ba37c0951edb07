"""The mode Network, shown in a pane of its own."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def pane(make_pane) -> Any:
    return make_pane("network")


@pytest.fixture
def mode(pane) -> Any:
    return pane.modes["network"]
