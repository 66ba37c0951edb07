"""The list of panes. A pane is data until it is first shown."""

from __future__ import annotations

import gc
import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

import explorer.panes
from explorer.panes.base import Context, Pane, PaneSpec, is_there

if TYPE_CHECKING:
    from explorer.engine.engine import Engine


def _create(module: str):  # type: ignore[no-untyped-def]
    def create(context: Context) -> Pane:
        return import_module(module).create(context)

    return create


PANES: tuple[PaneSpec, ...] = (
    PaneSpec(
        id="attention",
        title="Attention",
        icon="attention",
        teaches="Which earlier tokens each head reads, and how it computes that",
        create=_create("explorer.panes.attention.pane"),
        module="explorer.panes.attention.pane",
    ),
    PaneSpec(
        id="transformer",
        title="Transformer",
        icon="transformer",
        teaches="The whole way from a prompt to the next token",
        create=_create("explorer.panes.transformer.pane"),
        module="explorer.panes.transformer.pane",
    ),
    PaneSpec(
        id="tokenizers",
        title="Tokenizers",
        icon="tokenizers",
        teaches="How text becomes tokens, and why every tokenizer cuts it differently",
        create=_create("explorer.panes.tokenizers.pane"),
        module="explorer.panes.tokenizers.pane",
    ),
    PaneSpec(
        id="backprop",
        title="Backprop",
        icon="backprop",
        teaches="How every number learns where to move: the chain rule, one operation at a time",
        create=_create("explorer.panes.backprop.pane"),
        module="explorer.panes.backprop.pane",
    ),
    PaneSpec(
        id="training",
        title="Training",
        icon="training",
        teaches="How a transformer learns, step by step, while you watch",
        create=_create("explorer.panes.training.pane"),
        module="explorer.panes.training.pane",
    ),
    PaneSpec(
        id="finetuning",
        title="Fine-tuning",
        icon="finetuning",
        teaches="How a trained model learns something new, and how few numbers that takes",
        create=_create("explorer.panes.finetuning.pane"),
        module="explorer.panes.finetuning.pane",
    ),
)


def built() -> tuple[PaneSpec, ...]:
    """Returns the panes whose module exists; others are not shown."""
    return tuple(spec for spec in PANES if is_there(spec.module))


async def load_ahead(engine: Engine) -> None:
    """Imports all panes on another thread. What they define lives to the end, so that no collection
    of garbage looks through it.
    """
    await engine.io(load)
    gc.freeze()


def load() -> None:
    """Imports all panes, on any thread, so that the first one shown waits for no module."""
    for module in pkgutil.walk_packages(explorer.panes.__path__, "explorer.panes."):
        import_module(module.name)
    for late in ("explorer.widgets.plots.view", "numpy.ma"):  # for first plot, np.unique
        import_module(late)
