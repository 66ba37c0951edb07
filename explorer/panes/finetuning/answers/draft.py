"""The user's settings of Try: text, strength, sampling. Imports neither Qt nor torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field


@dataclass(frozen=True)
class TryDraft:
    """prompt       a text; "" for an example that was held out of the training data
    example      its number
    strength     the part of the learned change that is added
    merged       True: write with the adapter merged into the matrices
    temperature  0: always the likeliest token
    tokens       the most that are written
    seed         of the draws of both texts
    other        the folder of a second adapter to blend with; "" for none
    share        the second adapter's part
    """

    prompt: str = field("", longest=100_000)
    example: int = field(0, least=0, most=2**31)
    strength: float = field(
        1.0, least=0, most=2, label="Strength",
        help="How much of the learned change is added: 0 gives the base, 1 the tuned model",
    )  # fmt: skip
    merged: bool = field(
        False, label="Merged",
        help="Write with the adapter merged into the matrices",
    )  # fmt: skip
    temperature: float = field(
        0.0, least=0, most=2, label="Temperature",
        help="At 0, the likeliest token always comes next; higher values leave more to chance",
    )  # fmt: skip
    tokens: int = field(
        24, least=1, most=500, label="Tokens", help="How many tokens each model may write at most"
    )
    seed: int = field(0, least=0, most=2**31)
    other: str = field("", longest=10_000)
    share: float = field(
        0.5, least=0, most=1, label="Share of the second",
        help="0 uses only the first adapter, 1 only the second",
    )  # fmt: skip

    def __post_init__(self) -> None:
        check(self)
