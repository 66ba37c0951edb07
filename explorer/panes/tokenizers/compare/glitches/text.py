"""The texts of Glitches."""

from __future__ import annotations

from collections.abc import Sequence

from core.numbers import format_fixed
from core.tokenization.analysis.glitches import GlitchCandidate
from core.tokenization.telling import shown

IDLE = "Glitch tokens: pieces that a model has hardly ever seen in training"
EMPTY = "A model\u2019s embeddings reveal its glitch tokens: choose the folder of a checkpoint"
CHOOSE = "Choose a folder"
FOLDER = "Choose a checkpoint folder, which holds model.safetensors and tokenizer.json"
NOTE = "Pieces whose embeddings look untrained come first"
AXIS = "pieces (log scale) by cosine similarity"
FEW_SPECIALS = (
    "Comparing with so few special tokens proves little: they may have been trained, too."
)
SYMBOLS = (
    "e is the embedding of the token t. A bar marks a mean: that of all embeddings, or that of the "
    "untrained tokens. The cosine is 1 for vectors that point the same way."
)
REACHABLE, UNREACHABLE = "some text contains this token", "no text contains this token"
STANDS_OUT = 0.8  # below this cosine, no piece looks untrained


def headline(name: str, candidates: Sequence[GlitchCandidate]) -> str:
    """Returns the headline for the model `name`, whose first candidate is the most suspicious."""
    if not candidates:
        return IDLE
    first = candidates[0]
    piece = f"\u201c{shown(first.piece, first.data)}\u201d"
    if first.similarity < STANDS_OUT:
        cosine = format_fixed(first.similarity)
        return (
            f"No glitch tokens found in {name}: even the closest match, {piece}, has a cosine "
            f"similarity of only {cosine} with untrained tokens"
        )
    cosine = format_fixed(first.similarity, 3)
    return (
        f"In {name}, {piece} looks untrained: its cosine similarity with untrained tokens is "
        f"{cosine}"
    )


def note(candidate: GlitchCandidate) -> str:
    """Returns the text at the end of a piece's row."""
    unreachable = "" if candidate.reachable else ", in no text"
    return f"{format_fixed(candidate.similarity, 3)}{unreachable}"
