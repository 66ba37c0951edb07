"""Small SentencePiece BPE tokenizers to test with."""

import random

from core.data import story_text
from core.tokenization.sentencepiece.pieces import Piece
from core.tokenization.sentencepiece.tokenizer import SentencePieceBPE
from core.tokenization.sentencepiece.training import sentencepiece_bpe_steps
from tests.core.tokenization.sentencepiece.reference import (
    drain,
)

STORIES = story_text(1, 60_000)
ALPHABETS = ["ab", "abc", "ab c", "ab  ", "aábc é", "aΑб1 -ー", "あア亜ーa1\u0301 ", "a\t▁<s>\x01b"]


def train(lines: str | list[str], vocab_size: int, **settings) -> list[Piece]:
    lines = [lines] if isinstance(lines, str) else lines
    return drain(sentencepiece_bpe_steps(lines, vocab_size, **settings))[1]


def tokenizer(text: str = STORIES, vocab_size: int = 300, **settings) -> SentencePieceBPE:
    byte_fallback = settings.get("byte_fallback", False)
    pieces = train(text, vocab_size, **settings)
    return SentencePieceBPE(pieces, settings.get("normalizer"), byte_fallback=byte_fallback)


def small_corpus(rng: random.Random) -> tuple[list[str], int]:
    letters = rng.choice(ALPHABETS)
    longest = rng.choice([5, 14, 40])
    lines = ["".join(rng.choices(letters, k=rng.randint(1, longest))) for _ in range(4)]
    return lines, rng.choice([12, 16, 20, 30, 40, 60])
