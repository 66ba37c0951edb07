"""How the texts are shown: which way, and what beside the tokens."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import field

LAYOUTS = ("columns", "rows")
VIEWS = ("text", "vocabulary", "overlap", "glitches")
LARGEST_PRICE = 9_999_999  # of a million tokens


@dataclass(frozen=True)
class Choices:
    """price is what a million tokens cost, in whatever money; 0 shows no cost."""

    view: str = field("text", choices=VIEWS)
    layout: str = field("columns", choices=LAYOUTS)
    ids: bool = False
    bytes: bool = False
    whitespace: bool = True
    specials: bool = True
    differences: bool = False
    price: float = field(2.5, least=0, most=LARGEST_PRICE)
