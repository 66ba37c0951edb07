"""The user's settings of sampling. Imports neither Qt nor torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field


@dataclass(frozen=True)
class GenerateDraft:
    """Settings of sampling; top_k 0, top_p 1 and min_p 0 cut nothing.

    stop_at  a stop string; "" for none
    seed     of the random numbers, one for each token
    """

    temperature: float = field(
        1.0, least=0, most=5, remedy="0.7 to 1 is usual",
        help="Lower values favor likely tokens; at 0, the likeliest token is always chosen",
    )  # fmt: skip
    top_k: int = field(
        0, label="Top-k", least=0, most=1_000_000, remedy="0 keeps every token",
        help="Keep only the k likeliest tokens",
    )  # fmt: skip
    top_p: float = field(
        1.0, label="Top-p", above=0, most=1, remedy="1 keeps every token",
        help="Keep the smallest set of the likeliest tokens that holds this fraction of the "
        "probability",
    )  # fmt: skip
    min_p: float = field(
        0.0, label="Min-p", least=0, most=1, remedy="0 keeps every token",
        help="Keep tokens with at least this fraction of the likeliest token's probability",
    )  # fmt: skip
    repetition_penalty: float = field(
        1.0, least=1, most=5, remedy="1 changes nothing",
        help="Lower the scores of tokens that are already in the text",
    )  # fmt: skip
    stop_at: str = field(
        "", label="Stop at", longest=200,
        help="\u201cKeep writing\u201d stops after these characters, for example a period",
    )  # fmt: skip
    seed: int = field(0, least=0, most=2**31)

    def __post_init__(self) -> None:
        check(self)
