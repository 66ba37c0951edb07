"""How the pane shows what is chosen: kept in the session, one field a control."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

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

    score: str = "induction"
    sorted: bool = False
    least: float = 0.0
    hide_first: bool = False
    mode: str = "map"

    def state(self) -> dict[str, Any]:
        return asdict(self)

    def restored(self, saved: dict[str, Any]) -> Choices:
        """With every saved field that fits; steps come back as the heat map they stand over."""
        fits = {
            "score": saved.get("score") in SCORES,
            "sorted": isinstance(saved.get("sorted"), bool),
            "least": type(saved.get("least")) in (int, float) and 0 <= saved["least"] <= 1,
            "hide_first": isinstance(saved.get("hide_first"), bool),
            "mode": saved.get("mode") in ("map", "arcs"),
        }
        return replace(self, **{name: saved[name] for name, does in fits.items() if does})
