"""What of a model is drawn, as a person has set it up. No Qt, no torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field
from core.transformer.presets import ENCODER_DECODER_PRESETS, PRESETS

OPEN = ""  # the model that is open, with its weights
NAMES = (*ENCODER_DECODER_PRESETS, *PRESETS)


@dataclass(frozen=True)
class MapDraft:
    """shown: a preset that is drawn in place of the open model; compared: all side by side."""

    shown: str = field(OPEN, choices=(OPEN, *NAMES), remedy="choose one of the presets")
    compared: bool = False

    def __post_init__(self) -> None:
        check(self)
