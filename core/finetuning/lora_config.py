"""LoRAConfig: the settings of an adapter, as data. Importing it does not load torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core import fields
from core.fields import field

ALL_LINEAR = "all-linear"  # peft's name for every matrix but the output head

LARGEST_RANK = 1 << 16


@dataclass(frozen=True, kw_only=True)
class LoRAConfig:
    """Which matrices an adapter changes, and how.

    r               rank: how many directions of change a matrix can learn
    alpha           the change is multiplied by alpha / r, so another rank can keep its learning
                    rate
    target_modules  ends of the names of matrices, as in peft: see `core.finetuning.targets`;
                    "all-linear": all but the output head
    dropout         probability of dropping each number that A reads during training
    rslora          multiplies by alpha / sqrt(r) instead: with large ranks alpha / r learns too
                    slowly
    dora            learns the length of each row separately, and with LoRA its direction

    Raises ValueError, with a remedy, for an impossible value.
    """

    r: int = field(
        8,
        least=1,
        most=LARGEST_RANK,
        label="Rank",
        help="How many directions of change each matrix can learn",
        remedy="4 to 64 is usual",
    )
    alpha: float = field(
        16.0,
        above=0,
        most=1e6,
        label="Alpha",
        help="The learned change is multiplied by alpha / rank",
        remedy="once or twice the rank is usual",
    )
    target_modules: tuple[str, ...] = field(
        ("attn.c_attn",),
        shortest=1,
        longest=10_000,
        label="Matrices",
        remedy='("attn.c_attn",) is usual',
    )
    dropout: float = field(0.0, least=0, below=1, label="Dropout", remedy="0 to 0.1 is usual")
    rslora: bool = field(
        False, label="rsLoRA", help="Multiply by alpha / sqrt(rank) instead of alpha / rank"
    )
    dora: bool = field(False, label="DoRA", help="Learn the length of each row separately")

    def __post_init__(self) -> None:
        fields.check(self)

    @property
    def scaling(self) -> float:
        """The factor s of B A."""
        return self.alpha / (math.sqrt(self.r) if self.rslora else self.r)
