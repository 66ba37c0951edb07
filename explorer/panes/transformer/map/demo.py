"""The states of Map in a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.map.draft import MapDraft

if TYPE_CHECKING:
    from explorer.panes.transformer.map.mode import MapMode


def views(mode: MapMode) -> dict[str, Callable[[], Any]]:
    """Returns the functions that bring the mode into each state, by name."""

    def at(*names: str, shown: str = "", compared: bool = False) -> Callable[[], Any]:
        return mode.brought(MapDraft(shown, compared), lambda: mode.go_to(*names))

    return {
        "first": at("next"),
        "block": at("block", "mlp"),
        "attention": at("block", "attention", "weights"),
        "mlp": at("block", "mlp", "gelu"),
        "matrix": at("block", "attention", "project", "product"),
        "lookup": at("embed", "token"),
        "position": at("embed", "position"),
        "gpt3-175b": at("block", shown="gpt3-175b"),
        "gpt1-block": at("block", "add_attention", shown="gpt1"),
        "transformer-base": at("block", shown="transformer-base"),
        "presets": at("next", compared=True),
    }
