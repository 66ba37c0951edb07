"""What is looked at inside a fine-tuned model, as a person has set it up. No Qt, no torch."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field
from explorer.panes.finetuning.inside import text


@dataclass(frozen=True)
class InsideDraft:
    """matrix  an adapted matrix, "h.0.attn.c_attn"; "": the one that changed most
    text    what the model reads
    other   folder of a second adapter, to compare with; "": none
    """

    matrix: str = field("", label="Matrix", help="Which matrix is shown")
    text: str = field(text.EXAMPLE, help="The text for the forward and backward pass shown here")
    other: str = field("", help="A second adapter of this model, to compare with")

    def __post_init__(self) -> None:
        check(self)
