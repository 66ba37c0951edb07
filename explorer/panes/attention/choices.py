"""How the pane shows what is chosen: kept in the session, one field a control."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from core.fields import field, fields_of, to_json
from explorer.panes.attention.model import SCORES

MODES = ("map", "arcs", "steps")


@dataclass(frozen=True)
class Choices:
    """score   which of SCORES the small bars show
    sorted     heads of each layer from high to low
    least      heads that score less are dimmed; 0 dims none
    hide_first the first token is hidden and each row scaled to 1
    mode       map, arcs or steps
    """

    score: str = field("induction", choices=SCORES)
    sorted: bool = False
    least: float = field(0.0, least=0, most=1)
    hide_first: bool = False
    mode: str = field("map", choices=MODES)

    def state(self) -> dict[str, Any]:
        return to_json(self)

    def restored(self, saved: dict[str, Any]) -> Choices:
        """With every saved field that fits; steps come back as the heat map they stand over."""
        restored = self
        for name, about in fields_of(Choices).items():
            with suppress(ValueError):
                restored = replace(restored, **{name: about.read(saved.get(name))})
        return replace(restored, mode="map") if restored.mode == "steps" else restored
