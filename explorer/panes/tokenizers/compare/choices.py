"""How the texts are shown: which tokenizers, which way, what beside the tokens."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

LAYOUTS = ("columns", "rows")
VIEWS = ("text", "vocabulary", "overlap", "glitches")


@dataclass(frozen=True)
class Choices:
    """price is what a million tokens cost, in whatever money; 0 shows no cost."""

    view: str = "text"
    layout: str = "columns"
    ids: bool = False
    bytes: bool = False
    whitespace: bool = True
    specials: bool = True
    differences: bool = False
    price: float = 2.5

    def state(self) -> dict[str, Any]:
        return asdict(self)

    def restored(self, state: dict[str, Any]) -> Choices:
        """These with what `state` knows better; what does not fit is left out."""
        good: dict[str, Any] = {}
        for field in fields(self):
            value, now = state.get(field.name), getattr(self, field.name)
            if type(value) is type(now) or (field.name == "price" and type(value) is int):
                good[field.name] = value
        if good.get("layout", "columns") not in LAYOUTS:
            del good["layout"]
        if good.get("view", "text") not in VIEWS:
            del good["view"]
        if not 0 <= good.get("price", 0.0) < math.inf:
            del good["price"]
        return replace(self, **good)
