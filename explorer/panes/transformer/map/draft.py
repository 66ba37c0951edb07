"""The user's choice of the model to draw. Imports neither Qt nor torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field
from core.transformer.presets import ENCODER_DECODER_PRESETS, PRESETS

OPEN = ""  # the loaded model, with its weights
NAMES = (*ENCODER_DECODER_PRESETS, *PRESETS)


@dataclass(frozen=True)
class MapDraft:
    """shown: the preset drawn instead of the loaded model; compared: all presets in one table."""

    shown: str = field(OPEN, choices=(OPEN, *NAMES), remedy="choose one of the presets")
    compared: bool = False

    def __post_init__(self) -> None:
        check(self)
