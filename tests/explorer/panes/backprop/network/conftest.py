"""The mode Network, shown in a pane of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest


@pytest.fixture
def pane(make_pane) -> Any:
    return make_pane("network")


@pytest.fixture
def mode(pane) -> Any:
    return pane.modes["network"]


async def until(condition: Any) -> None:
    """Waits until something is so, at most ten seconds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)
