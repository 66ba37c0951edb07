"""The mode Optimizers, shown and settled."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def mode(make_pane) -> Any:
    return make_pane("optimizers").mode


@pytest.fixture
def change(mode, run_async) -> Any:
    """`change(draft)`: sets it up and waits until the race has been run."""

    def do(draft: Any) -> None:
        async def body() -> None:
            mode.draft.change(draft, "Test")
            await mode.settled()

        run_async(body())

    return do
