"""How far and how widely is searched, as a person has set it up. No Qt, no torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field


@dataclass(frozen=True)
class BeamsDraft:
    """A search's settings; `sentences`: a text also ends with a sentence."""

    beams: int = field(6, least=1, most=16, remedy="4 to 8 is usual")
    depth: int = field(8, least=1, most=100, remedy="8 fit into the picture")
    length_penalty: float = field(0.6, least=0, most=5, remedy="0 to 1 is usual")
    sentences: bool = field(True)

    def __post_init__(self) -> None:
        check(self)
