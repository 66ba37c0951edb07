"""The sentences of Glitches."""

from __future__ import annotations

from collections.abc import Sequence

from core.numbers import format_fixed
from core.tokenization.analysis.glitches import GlitchCandidate
from core.tokenization.telling import shown

IDLE = "Glitch tokens: pieces that a model has hardly ever seen in training"
EMPTY = "Glitch tokens are found by a model\u2019s embeddings: choose the folder of a checkpoint"
CHOOSE = "Choose a folder"
FOLDER = "The folder of a checkpoint, with model.safetensors and tokenizer.json"
NOTE = "Pieces whose embeddings look untrained come first"
AXIS = "cosine similarity with untrained tokens (log scale)"
FEW_SPECIALS = "So few special tokens prove little: they may have been trained as well."
SYMBOLS = (
    "e is the embedding of the token t; with a bar, it is a mean: of all embeddings, or of the "
    "untrained ones."
)
UNREACHABLE = "no: no text is encoded to this token"
STANDS_OUT = 0.8  # below this cosine, no piece looks untrained


def headline(name: str, candidates: Sequence[GlitchCandidate]) -> str:
    """`name`: the model's."""
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
    """The words at the end of a piece's row."""
    unreachable = "" if candidate.reachable else ", no text becomes it"
    return f"{format_fixed(candidate.similarity, 3)}{unreachable}"
