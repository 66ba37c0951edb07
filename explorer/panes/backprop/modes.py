"""The modes of the backprop pane."""

from __future__ import annotations

from explorer.panes.modes import ModeSpec, those_there

MODES: tuple[ModeSpec, ...] = (
    ModeSpec("expression", "Expression", "explorer.panes.backprop.expression.mode"),
    ModeSpec("network", "Network", "explorer.panes.backprop.network.mode"),
    ModeSpec("gpt", "GPT", "explorer.panes.backprop.gpt.mode"),
    ModeSpec("optimizers", "Optimizers", "explorer.panes.backprop.optimizers.mode"),
)


def built() -> tuple[ModeSpec, ...]:
    """Returns the modes whose module exists."""
    return those_there(MODES)
