"""How Compare shows the text's tokens. A session remembers it; undo leaves it alone."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import field

LAYOUTS = ("columns", "rows")
VIEWS = ("text", "vocabulary", "overlap", "glitches")
LARGEST_PRICE = 9_999_999  # of a million tokens


@dataclass(frozen=True)
class DisplayOptions:
    """price is what a million tokens cost, in dollars; 0 shows no cost."""

    view: str = field("text", choices=VIEWS)
    layout: str = field("columns", choices=LAYOUTS)
    ids: bool = False
    pieces: bool = True
    bytes: bool = False
    whitespace: bool = True
    specials: bool = True
    differences: bool = False
    price: float = field(2.5, least=0, most=LARGEST_PRICE)
