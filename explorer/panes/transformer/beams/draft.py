"""The user's settings of a beam search. Imports neither Qt nor torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field


@dataclass(frozen=True)
class BeamsDraft:
    """The settings of a search."""

    beams: int = field(
        6, least=1, most=16, remedy="4 to 8 is usual",
        help="How many texts the search follows at once; 1 is greedy decoding",
    )  # fmt: skip
    depth: int = field(
        8, label="Tokens", least=1, most=100, remedy="8 fit into the picture",
        help="How many tokens the search looks ahead",
    )  # fmt: skip
    length_penalty: float = field(
        0.6, least=0, most=5, remedy="0 to 1 is usual",
        help="Higher values favor longer texts; at 0, the likeliest text wins",
    )  # fmt: skip
    sentences: bool = field(
        True, label="Stop after a sentence",
        help="A text also ends after a period, a question mark or an exclamation mark",
    )  # fmt: skip

    def __post_init__(self) -> None:
        check(self)
