"""Sessions with all panes, and what their pictures show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.engine import errors
from explorer.shell.session import Session
from explorer.widgets.base import Picture
from tests.explorer.conftest import dispose


@pytest.fixture
def sit(qapp: Any, tmp_path: Path, run_async: Any) -> Iterator[Callable[..., Any]]:
    """`sit(body, saved)`: a fresh session, or with this session file; `body(session)` runs in it,
    then it is closed. Without `computing` the engine stands still.
    """
    import torch  # noqa: F401

    errors.reports().problems.clear()
    number = iter(range(99))

    def start(
        body: Callable[[Session], Any],
        saved: dict[str, Any] | None = None,
        computing: bool = True,
    ) -> Any:
        folder = tmp_path / f"config{next(number)}"
        folder.mkdir()
        if saved is not None:
            (folder / "session.json").write_text(json.dumps(saved))
        session = Session(folder=folder, runs_folder=tmp_path / "runs")
        session.settings.callouts_seen = True

        async def sitting() -> Any:
            window = session.open()
            window.resize(1280, 720)
            window.show()
            if computing:
                await session.begin()
            try:
                return await body(session)
            finally:
                await session.close(10)

        try:
            return run_async(sitting())
        finally:
            dispose(session)

    yield start
    assert not errors.reports().problems


def shown_numbers(pane: Any) -> dict[str, dict[str, Any]]:
    """What the pictures of the pane that are on the screen show."""
    found = {}
    for name, picture in pane.pictures().items():
        if isinstance(picture, Picture) and picture.isVisible():
            shown = picture.displayed()
            found[name] = {key: np.array(value) for key, value in shown.items()}
    return found
