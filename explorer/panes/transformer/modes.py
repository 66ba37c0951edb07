"""The modes of the transformer pane."""

from __future__ import annotations

from explorer.panes.modes import ModeSpec, those_there

MODES: tuple[ModeSpec, ...] = (
    ModeSpec("map", "Map", "explorer.panes.transformer.map.mode"),
    ModeSpec("generate", "Generate", "explorer.panes.transformer.generate.mode"),
    ModeSpec("lens", "Lens", "explorer.panes.transformer.lens.mode"),
    ModeSpec("beams", "Beams", "explorer.panes.transformer.beams.mode"),
    ModeSpec("examples", "Examples", "explorer.panes.transformer.examples.mode"),
    ModeSpec("chat", "Chat", "explorer.panes.transformer.chat.mode"),
    ModeSpec("translate", "Translate", "explorer.panes.transformer.translate.mode"),
)


def built() -> tuple[ModeSpec, ...]:
    """Returns the modes whose module exists; the others are hidden."""
    return those_there(MODES)
