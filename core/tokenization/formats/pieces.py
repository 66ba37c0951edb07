"""Infers from a vocabulary the properties that its file does not state.

A .tiktoken file and a vocab.json do not state how words are cut. But no piece crosses a cut, so the
pieces reveal it: a vocabulary with "2026" was not cut by a pattern that splits off single digits.
"""

from collections.abc import Iterable, Sequence

from core.tokenization.bpe.patterns import PATTERNS, WordPattern
from core.tokenization.byte_level import ALPHABET

# From the pattern that cuts most to the one that cuts least; the first one that fits is right.
CANDIDATES = ("tekken", "qwen", "o200k", "llama3", "cl100k", "smollm2", "gpt2")
SAMPLE = 20_000  # pieces examined
SLACK = 0.002  # the share of pieces that may contradict a pattern: added by hand, or damaged


def guess_pattern(pieces: Iterable[bytes]) -> str:
    """Guesses the name of the word pattern that the pieces were learned with.

    Returns the first of CANDIDATES that hardly any piece contradicts, else the least contradicted.
    """
    texts = [text for piece in pieces if (text := _text(piece)) is not None]
    texts = texts[:: max(1, len(texts) // SAMPLE)]
    crossed = {name: sum(_is_cut(text, PATTERNS[name]) for text in texts) for name in CANDIDATES}
    fitting = [name for name in CANDIDATES if crossed[name] <= SLACK * len(texts)]
    return fitting[0] if fitting else min(CANDIDATES, key=crossed.__getitem__)


def _is_cut(text: str, pattern: WordPattern) -> bool:
    """True if the pattern cuts inside the text when another word follows it."""
    return len(pattern.split(text + " a")[0]) < len(text)


def _text(piece: bytes) -> str | None:
    """Returns the piece as text if it consists of two or more complete characters, else None."""
    try:
        text = piece.decode()
    except UnicodeDecodeError:
        return None
    return text if len(text) > 1 else None


def unmade_pieces(vocabulary: Sequence[str], merges: Sequence[tuple[str, str]]) -> list[str]:
    """Returns the pieces that are neither a byte nor the result of a merge: special tokens."""
    made = {left + right for left, right in merges} | set(ALPHABET)
    return [piece for piece in vocabulary if piece not in made]
