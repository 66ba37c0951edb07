"""The modes of the backprop pane: which there are."""

from __future__ import annotations

from explorer.panes.modes import ModeSpec, those_there

MODES: tuple[ModeSpec, ...] = (
    ModeSpec("expression", "Expression", "explorer.panes.backprop.expression.mode"),
    ModeSpec("network", "Network", "explorer.panes.backprop.network.mode"),
    ModeSpec("gpt", "GPT", "explorer.panes.backprop.gpt.mode"),
    ModeSpec("optimizers", "Optimizers", "explorer.panes.backprop.optimizers.mode"),
)


def built() -> tuple[ModeSpec, ...]:
    """The modes whose module is there; others are not shown."""
    return those_there(MODES)
