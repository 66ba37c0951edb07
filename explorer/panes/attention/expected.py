"""The token that a model expects after the text, and whether it can be appended. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.panes.attention.model import piece_text, quoted

if TYPE_CHECKING:
    from core.tokenization import Tokenizer
    from explorer.panes.attention.story import Likely

ENDS = "The model expects the text to end here"
PART = "This token is a part of a character alone, which no text can end with"


@dataclass(frozen=True)
class Expected:
    """`name` in a sentence; `text` is appended, unless `why_not` says why it cannot be."""

    name: str
    text: str
    why_not: str = ""


def expected_of(likely: Likely, tokenizer: Tokenizer) -> Expected:
    name = quoted(piece_text(likely.piece))
    if likely.token in tokenizer.special_tokens.values():
        return Expected(name, "", ENDS)
    try:
        return Expected(name, likely.piece.decode())
    except UnicodeDecodeError:
        return Expected(name, "", PART)
