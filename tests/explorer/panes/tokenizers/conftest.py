"""A tokenizers pane of its own for each test, in a data folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.data import story_text
from core.tokenization import train_tokenizer
from explorer.panes.tokenizers.draft import PATH
from explorer.panes.tokenizers.entries import MODEL
from tests.explorer.conftest import dispose
from tests.explorer.panes.tokenizers.small import SIZES
from tests.explorer.waiting import HANGS


@pytest.fixture(scope="module")
def trained():
    """A small tokenizer of each kind."""
    text = story_text(1, 8000)
    return {kind: train_tokenizer(kind, [text], vocab_size=size) for kind, size in SIZES.items()}


@pytest.fixture
def context(engine, tmp_path, run_async) -> Iterator[Any]:
    from explorer.panes.base import Context
    from explorer.runs.live import Runs
    from explorer.state.settings import Settings
    from explorer.state.workspace import Workspace

    runs = Runs(engine, tmp_path / "runs")
    yield Context(engine, Workspace(engine), Settings(), runs)
    run_async(runs.close(HANGS))


@pytest.fixture
def make_pane(context, run_async) -> Iterator[Any]:
    """`make_pane(*specs)`: shown at 1000 x 600, settled; without specs with the modes there are.
    `then(pane)` runs in the same event loop before it settles. Compare and Languages show the
    model's tokenizer alone, unless `first`: then those that they show at first."""
    from explorer.panes.tokenizers.pane import TokenizersPane

    made: list[Any] = []

    def make(*specs: Any, then: Any = None, first: bool = False) -> Any:
        async def build() -> Any:
            if not first and context.workspace.value(PATH) is None:
                context.workspace.begin(PATH, {"tokenizers": [MODEL]})
            pane = TokenizersPane(context, specs=specs or None)
            made.append(pane)
            pane.join_workspace()
            pane.resize(1000, 600)
            pane.show()
            pane.shown()
            if then is not None:
                then(pane)
            await pane.settled()
            return pane

        return run_async(build())

    yield make
    for pane in made:
        pane.hide()
        dispose(pane.inputs)
        dispose(pane)
