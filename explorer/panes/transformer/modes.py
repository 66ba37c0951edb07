"""The modes of the transformer pane: which there are."""

from __future__ import annotations

from explorer.panes.modes import ModeSpec, those_there

MODES: tuple[ModeSpec, ...] = (
    ModeSpec("generate", "Generate", "explorer.panes.transformer.generate.mode"),
)


def built() -> tuple[ModeSpec, ...]:
    """The modes whose module is there; others are not shown."""
    return those_there(MODES)
