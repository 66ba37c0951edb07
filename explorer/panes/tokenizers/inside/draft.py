"""What a person sets up in Inside: a text, a tokenizer, and what is left to chance. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field
from explorer.panes.tokenizers.encoding.compute import LONGEST
from explorer.panes.tokenizers.entries import MODEL

FIRST = "Once upon a time, unbelievably"


@dataclass(frozen=True)
class InsideDraft:
    """tokenizer  its id in the catalogue
    alpha      of Unigram; dropout: of BPE
    seed       of what is drawn: the same one draws the same again
    """

    text: str = field(FIRST, longest=LONGEST)
    tokenizer: str = MODEL
    alpha: float = field(
        1.0,
        least=0,
        most=3,
        label="\u03b1",
        help="How much the scores count when a way to cut the text is drawn. 0: every way is "
        "equally likely; 1: as trained; above 1: the best ways come up more often",
    )
    dropout: float = field(
        0.0,
        least=0,
        most=1,
        label="Dropout",
        help="BPE-dropout: how likely a merge is to be skipped. 0 cuts every word as usual, 1 "
        "leaves single bytes or characters",
    )
    seed: int = field(0, least=0, below=1 << 62)

    def __post_init__(self) -> None:
        check(self)
