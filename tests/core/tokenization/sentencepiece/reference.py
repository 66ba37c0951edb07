"""The sentencepiece library as the reference, a plain trainer without any cleverness, and texts."""

import io
import random
from collections.abc import Generator, Iterable
from itertools import pairwise
from typing import Any

import pytest

from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import meta_pieces
from core.tokenization.sentencepiece.text import is_valid_piece, prepare

LETTERS = " \t▁abcdefghijklmnopqrstuvwxyz" * 3 + "ABC.,!?'\n☃é ﬁ¨\u0301Ａ漢字かなカナ한글🙂\0\u200d"


def drain(steps: Generator) -> tuple[list, Any]:
    """All that a generator yields, and what it returns."""
    found = []
    while True:
        try:
            found.append(next(steps))
        except StopIteration as end:
            return found, end.value


def train_reference(lines: Iterable[str], vocab_size: int, **settings: Any) -> bytes:
    """A model file that the library trained."""
    spm = pytest.importorskip("sentencepiece")
    model = io.BytesIO()
    settings = {"model_type": "bpe", "num_threads": 1, "minloglevel": 2, **settings}
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, vocab_size=vocab_size, **settings
    )
    return model.getvalue()


def processor(model: bytes) -> Any:
    """The library's tokenizer."""
    spm = pytest.importorskip("sentencepiece")
    return spm.SentencePieceProcessor(model_proto=model)


def pieces_of(reference: Any) -> list[tuple[str, float]]:
    """The pieces of the library's tokenizer with their scores."""
    ids = range(reference.get_piece_size())
    return [(reference.id_to_piece(token), reference.get_score(token)) for token in ids]


def plain_pieces(lines: Iterable[str], vocab_size: int) -> list[str]:
    """What training should find: every pair counted anew before every merge."""
    text = drain(prepare(lines, SentencePieceNormalizer(), meta_pieces()))[1]
    words = [(list(word), times) for word, times in text.words]
    found: list[str] = []
    ever: dict[tuple[str, str], None] = {}

    def meet(left: str, right: str) -> None:
        if is_valid_piece(left + right):
            ever.setdefault((left, right))

    for word, _ in words:
        for pair in pairwise(word):
            meet(*pair)
    while len(found) < vocab_size - 3 - len(text.characters):
        counts = dict.fromkeys(ever, 0)
        for word, times in words:
            for pair in pairwise(word):
                if pair in counts:
                    counts[pair] += times
        left = {pair: count for pair, count in counts.items() if "".join(pair) not in found}
        if not left:
            break
        best = min(left, key=lambda pair: (-left[pair], len("".join(pair)), "".join(pair)))
        found.append("".join(best))
        for word, _ in words:
            place = 0
            while place < len(word) - 1:
                if (word[place], word[place + 1]) == best:
                    word[place : place + 2] = ["".join(best)]
                    for pair in pairwise(word[max(0, place - 1) : place + 2]):
                        meet(*pair)
                place += 1
    return found + [character for character, _ in text.characters]


def any_texts(number: int, seed: int = 0) -> list[str]:
    """Short texts: letters of many kinds, all of Unicode, spaces, and special tokens in pieces."""
    rng = random.Random(seed)
    texts = []
    for _ in range(number):
        kind = rng.random()
        if kind < 0.5:
            texts.append("".join(rng.choices(LETTERS, k=rng.randint(0, 40))))
        elif kind < 0.7:
            ranges = [(0, 0x7F), (0, 0x3000), (0, 0xD7FF), (0xE000, 0x10FFFF)]
            codes = [rng.randint(*rng.choice(ranges)) for _ in range(rng.randint(0, 20))]
            texts.append("".join(map(chr, codes)))
        elif kind < 0.85:
            texts.append("".join(rng.choices(["  ", "    ", "a", "ab\n", " b"], k=30)))
        else:
            texts.append("".join(rng.choices(" ab<s>/u", k=rng.randint(0, 20))))
    return texts
