"""The transformer pane with a tiny model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from explorer.runs.sources import FolderSource
from tests.explorer.conftest import dispose
from tests.explorer.demo import eager_runs, save_tiny_model

PROMPT = "Mira met Tom. One day"


@pytest.fixture
def make_mode(torch_engine: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`await make_mode("generate")`: that mode, shown, with a tiny model that has read a prompt;
    `session`: what the workspace held when it began.
    """
    from explorer.panes.base import Context
    from explorer.panes.transformer.pane import TransformerPane
    from explorer.state.settings import Settings
    from explorer.state.workspace import Workspace

    runs = eager_runs(torch_engine, tmp_path / "runs")
    panes = []

    async def make(name: str, session: dict[str, Any] | None = None, **changes: Any) -> Any:
        workspace = Workspace(torch_engine)
        workspace.restore(session or {})
        pane = TransformerPane(Context(torch_engine, workspace, Settings(), runs))
        pane.player.set_motion("off")
        pane.resize(900, 560)
        panes.append(pane)
        pane.join_workspace()
        pane.shown()
        source = FolderSource(torch_engine, save_tiny_model(tmp_path / "model", **changes))
        await source.open()
        pane.workspace.set_prompt(PROMPT)
        pane.workspace.set_model_source(source)
        pane.request_mode(name, None)
        await pane.settled()
        return pane.mode

    yield make
    for pane in panes:
        dispose(pane.inputs, pane)
    dispose(runs)
