"""An attention pane of its own for each test, and hand-made heads that copy what came before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from explorer.panes.attention.compute import Heads, Prompt, heads_of
from explorer.runs.sources import FolderSource
from tests.explorer.conftest import dispose
from tests.explorer.demo import close, eager_runs, save_tiny_model, tiny_training

TEXT = "Mira met Tom. Mira"
PROMPT = "Mira met Tom. One day Mira"


@pytest.fixture
def runs(torch_engine, tmp_path, run_async) -> Iterator[Any]:
    runs = eager_runs(torch_engine, tmp_path / "runs")
    yield runs
    run_async(close(runs))


@pytest.fixture
def pane(torch_engine, runs) -> Iterator[Any]:
    """Shown at 900 x 600, with full motion, and no model yet."""
    from explorer.panes.attention.pane import AttentionPane
    from explorer.panes.base import Context
    from explorer.state.settings import Settings
    from explorer.state.workspace import Workspace

    pane = AttentionPane(Context(torch_engine, Workspace(torch_engine), Settings(), runs))
    pane.resize(900, 600)
    pane.show()
    yield pane
    pane.hide()
    dispose(pane.inputs)
    dispose(pane)


async def open_model(pane, tmp_path, kind="folder", steps=100_000, **changes):
    """A source of this kind, opened in the pane's workspace; the heads are on the screen."""
    if kind == "folder":
        source = FolderSource(pane.engine, save_tiny_model(tmp_path / "model", **changes))
    else:
        runs = pane.context.runs
        folder = runs.new(tiny_training(steps=steps), "live")
        runs.start(folder, kind, paused=False)
        source = runs.source(folder)
    await source.open()
    pane.workspace.set_prompt(PROMPT)
    pane.workspace.set_model_source(source)
    await pane.settled()
    assert pane.reader.heads is not None
    return source


@pytest.fixture
def heads() -> Heads:
    """One layer, three heads on 'Mira met Tom. Mira': 0 spreads, 1 copies, 2 rests on token 0."""
    pieces = (b"Mira", b" met", b" Tom", b".", b" Mira", b" sang", b" Mira")
    ids = (4, 1, 2, 3, 4, 5, 4)
    return made_heads(ids, pieces)


def made_heads(ids: tuple[int, ...], pieces: tuple[bytes, ...]) -> Heads:
    from core.inference.activations import Activations

    T, generator = len(ids), np.random.default_rng(0)
    causal = np.tri(T, dtype=np.float32)
    spread = causal / causal.sum(1, keepdims=True)
    copies = 0.1 * spread
    for row in range(T):
        follow = [j for j in range(1, row + 1) if ids[j - 1] == ids[row]]
        copies[row, follow[-1] if follow else row] += 0.9
    rests = 0.05 * spread
    rests[:, 0] += 0.95
    attention = np.stack([spread, copies, rests])[None].astype(np.float32)
    q, k, v = generator.normal(size=(3, 1, 3, T, 4)).astype(np.float32)
    kept = Activations(np.array(ids), attention=attention, queries=q, keys=k, values=v)
    return heads_of(kept, Prompt("", ids, pieces, 0, 64), "made")
