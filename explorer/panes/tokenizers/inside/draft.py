"""The setup of Inside: text, tokenizer, and settings of randomness. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import check, field
from explorer.panes.tokenizers.encoding.compute import LONGEST
from explorer.panes.tokenizers.entries import MODEL

FIRST = "Once upon a time, unbelievably"


@dataclass(frozen=True)
class InsideDraft:
    """tokenizer  its id in the catalogue
    alpha      for sampling with Unigram; `dropout` for BPE
    seed       the seed of both
    """

    text: str = field(FIRST, longest=LONGEST)
    tokenizer: str = MODEL
    alpha: float = field(
        1.0,
        least=0,
        most=3,
        label="\u03b1",
        help="How strongly the scores guide the random choice of a way to cut the text. At 0, all "
        "ways are equally likely; at 1, each has its trained probability; above 1, the best ways "
        "are drawn more often",
    )
    dropout: float = field(
        0.0,
        least=0,
        most=1,
        label="Dropout",
        help="The probability that a merge is skipped at random. At 0, every word is split as "
        "usual; at 1, single bytes or characters remain",
    )
    seed: int = field(0, least=0, below=1 << 62)

    def __post_init__(self) -> None:
        check(self)
