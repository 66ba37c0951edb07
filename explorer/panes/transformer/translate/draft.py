"""What is translated, and the head whose reading is seen. No Qt, no torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field

SHARPEST = -1


@dataclass(frozen=True)
class TranslateDraft:
    """The source; layer and head of the decoder's cross-attention, -1 for the sharpest of all."""

    text: str = field("the third of March, 1999", longest=200)
    layer: int = field(SHARPEST, least=SHARPEST, most=1000)
    head: int = field(SHARPEST, least=SHARPEST, most=1000)

    def __post_init__(self) -> None:
        check(self)

    @property
    def chosen(self) -> tuple[int, int] | None:
        """The head; None: the sharpest."""
        return None if SHARPEST in (self.layer, self.head) else (self.layer, self.head)
