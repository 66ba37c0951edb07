"""Unigram as a textbook prints it: the best way to cut a text, and all ways to cut a word, from
which the pieces get their scores.

`lattice` and `em` give the same results faster: they process thousands of words at once, and sum
over all ways without listing them. A score is the natural logarithm of a piece's probability;
every character must be a piece.

Source: Kudo 2018, "Subword Regularization", section 3.2; Viterbi 1967; for the digamma, Liang and
Klein 2007, "Structured Bayesian Nonparametric Models with Variational Inference".
"""

import math
from collections.abc import Iterator, Mapping

from core.tokenization.unigram.em import digamma


def viterbi(text: str, scores: Mapping[str, float]) -> tuple[list[str], float]:
    """Finds the most probable way to cut a text of N characters: its pieces and their total score.

    The best way to reach a position ends with some piece; the part before it is the best way to
    reach the start of that piece. Of equally good ways, the one with the longest last piece wins.
    """
    best = [0.0] + [-math.inf] * len(text)  # (N + 1) score of the best way to each position
    came_from = [0] * (len(text) + 1)  # (N + 1) where that way's last piece starts
    for end in range(1, len(text) + 1):
        for start in range(end):
            score = scores.get(text[start:end], -math.inf)
            candidate = best[start] + score  # step: arrive
            if candidate > best[end]:
                best[end] = candidate  # step: keep
                came_from[end] = start
    pieces: list[str] = []
    place = len(text)
    while place > 0:
        start = came_from[place]
        pieces.append(text[start:place])
        place = start  # step: backtrace
    return pieces[::-1], best[-1]


def all_ways(word: str, scores: Mapping[str, float]) -> Iterator[list[str]]:
    """Yields every way to cut a word into pieces, each as a list from left to right."""
    if not word:
        yield []
    for end in range(1, len(word) + 1):
        if word[:end] in scores:
            for rest in all_ways(word[end:], scores):
                yield [word[:end], *rest]


def expect(words: Mapping[str, int], scores: Mapping[str, float]) -> dict[str, float]:
    """The E step: returns how often each piece is used, over all ways to cut every word.

    `words` maps each word to its count in the text. Each way is weighted by its probability.
    """
    expected = dict.fromkeys(scores, 0.0)
    for word, times in words.items():
        ways = list(all_ways(word, scores))
        likelihoods = [math.exp(sum(scores[piece] for piece in way)) for way in ways]
        total = sum(likelihoods)
        for way, likelihood in zip(ways, likelihoods):
            share = likelihood / total
            for piece in way:
                expected[piece] += times * share  # step: expect
    return expected


def maximize(expected: Mapping[str, float]) -> dict[str, float]:
    """The M step: returns new scores; drops pieces with an expected count below 0.5.

    The digamma is nearly a logarithm; it makes rare pieces rarer, so that fewer of them remain.
    """
    counts = {piece: count for piece, count in expected.items() if count >= 0.5}
    total = digamma(sum(counts.values()))
    scores: dict[str, float] = {}
    for piece, count in counts.items():
        scores[piece] = float(digamma(count) - total)  # step: maximize
    return scores
