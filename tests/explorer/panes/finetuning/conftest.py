"""The fine-tuning pane with a tiny model and an adapter of random numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from explorer.runs.sources import FolderSource
from tests.explorer.conftest import dispose
from tests.explorer.demo import eager_runs, save_tiny_model


class AdaptedSource(FolderSource):
    """A tiny model with an adapter, rank 2, on two kinds of matrices."""

    lora: Any = {"r": 2, "target_modules": ("attn.c_attn", "mlp.c_proj")}

    def _model(self) -> Any:
        import torch

        import core

        if self._loaded is None:
            self._loaded = core.load(self.address)
            generator = torch.Generator().manual_seed(0)
            adapter = core.add_lora(
                self._loaded.model, core.LoRAConfig(**self.lora), generator=generator
            )
            with torch.no_grad():
                for update in adapter.updates.values():
                    update.B.normal_(0, 0.1, generator=generator)
        return self._loaded.model


@pytest.fixture
def make_mode(torch_engine: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`await make_mode("inside")`: that mode, shown, with a tiny tuned model."""
    from explorer.panes.base import Context
    from explorer.panes.finetuning.pane import FinetuningPane
    from explorer.state.settings import Settings
    from explorer.state.workspace import Workspace

    runs = eager_runs(torch_engine, tmp_path / "runs")
    panes = []

    async def make(name: str, **lora: Any) -> Any:
        pane = FinetuningPane(Context(torch_engine, Workspace(torch_engine), Settings(), runs))
        pane.player.set_motion("off")
        pane.resize(900, 560)
        panes.append(pane)
        pane.join_workspace()
        source = AdaptedSource(torch_engine, save_tiny_model(tmp_path / "model"))
        source.lora = source.lora | lora
        await source.open()
        tuned = pane.desk.tuned
        tuned.source = source
        tuned.draft.begin({"address": source.address})
        pane.shown()
        pane.request_mode(name, None)
        await pane.settled()
        return pane.mode

    yield make
    for pane in panes:
        dispose(pane.inputs, pane)
    dispose(runs)
