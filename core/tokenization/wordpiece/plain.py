"""WordPiece as a textbook prints it: score all pairs, merge the best one, repeat; then take the
longest piece that fits.

`training` and `tokenizer` give the same result and are faster: counts are updated after each merge
instead of recomputed, and the search begins at the length of the longest piece.

Source: Schuster and Nakajima 2012, "Japanese and Korean Voice Search", section 3; the score is that
of the Hugging Face LLM course, chapter 6; the longest match, Devlin et al. 2019, section 3.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from core.tokenization.bpe.plain import merge

PREFIX = "##"  # of a piece that continues a word


class Merge(NamedTuple):
    """Two neighbors that became one piece, and their score."""

    pair: tuple[str, str]
    score: float


def train(words: Mapping[str, int], n_merges: int) -> list[Merge]:
    """Learns merges by likelihood; `words` maps each word to its count in the text.

    A score is high if two pieces occur together more often than their own counts would suggest.
    Among pairs with equal scores, the first one in the words is merged.
    """
    spelled = {word: [word[0], *(PREFIX + letter for letter in word[1:])] for word in words}
    merges: list[Merge] = []
    for _ in range(n_merges):
        pieces: Counter[str] = Counter()
        pairs: Counter[tuple[str, str]] = Counter()
        for word, times in words.items():
            for piece in spelled[word]:
                pieces[piece] += times
            for neighbors in pairwise(spelled[word]):
                pairs[neighbors] += times
        if not pairs:
            break
        scores = {}
        for (first, second), pair in pairs.items():
            left, right = pieces[first], pieces[second]
            score = pair / (left * right)  # step: score
            scores[first, second] = score
        best = max(scores, key=lambda one: scores[one])
        joined = best[0] + best[1].removeprefix(PREFIX)
        spelled = {word: merge(parts, best, joined) for word, parts in spelled.items()}
        merges.append(Merge(best, scores[best]))
    return merges


def encode(word: str, vocabulary: Mapping[str, int], unknown: int) -> list[int]:
    """Splits a word, taking the longest piece that fits at each position.

    A word that cannot be spelled to its end becomes the single token `unknown`.
    """
    ids: list[int] = []
    start = 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = word[start:end] if start == 0 else PREFIX + word[start:end]
            token = vocabulary.get(piece, -1)  # step: look
            if token >= 0:
                break
        if token < 0:  # not even one character is a piece
            ids = [unknown]  # step: unknown
            return ids
        ids.append(token)  # step: take
        start = end
    return ids
