"""The user's source text, and the head that is shown. Imports neither Qt nor torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field


@dataclass(frozen=True)
class TranslateDraft:
    """The source; layer and head of the decoder's cross-attention, or () for the sharpest head."""

    text: str = field("the third of March, 1999", longest=200)
    head: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check(self)
        if len(self.head) not in (0, 2):
            raise ValueError(f"head is {self.head}; give a layer and a head, or nothing")
