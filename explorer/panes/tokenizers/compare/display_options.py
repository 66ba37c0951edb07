"""Display options of Compare. They are saved in a session but are not part of undo."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import field

LAYOUTS = ("columns", "rows")
VIEWS = ("text", "vocabulary", "overlap", "glitches")
LARGEST_PRICE = 9_999_999  # dollars per million tokens


@dataclass(frozen=True)
class DisplayOptions:
    """The display options; `price` is in dollars per million tokens, 0 hides the cost."""

    view: str = field("text", choices=VIEWS)
    layout: str = field("columns", choices=LAYOUTS)
    ids: bool = False
    pieces: bool = True
    bytes: bool = False
    whitespace: bool = True
    specials: bool = True
    differences: bool = False
    price: float = field(2.5, least=0, most=LARGEST_PRICE)
