"""The user's choice of a matrix, a text and a second adapter. Imports neither Qt nor torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field
from explorer.panes.finetuning.inside import text


@dataclass(frozen=True)
class InsideDraft:
    """matrix  an adapted matrix, "h.0.attn.c_attn"; "" for the one that changed most
    text    the text that the model reads
    other   the folder of a second adapter to compare with; "" for none
    """

    matrix: str = field("", label="Matrix", help="Which matrix is shown")
    text: str = field(text.EXAMPLE, help="The text for the forward and backward pass shown here")
    other: str = field("", help="A second adapter of this model, to compare with")

    def __post_init__(self) -> None:
        check(self)
