"""What the symbols of each formula mean, by the name of the step: the inspector's first row."""

from __future__ import annotations

from core.trace import Step

_MERGE = "s are the symbols of the word; the two at i* and i* + 1 become one."
_DRAW = "u is a random number between 0 and 1, p the dropout."
SYMBOLS = {
    "encoding.normalizer": "x is the text.",
    "encoding.special": "x is this part of the text, S the set of special tokens.",
    "encoding.whole": "x is this part of the text, U the set of parts that are kept whole.",
    "encoding.pre-tokenizer": "x is the text, w are its m words.",
    "encoding.model": "w is the word, t are its k tokens.",
    "encoding.post-processor": "t are the n tokens of the whole text.",
    "bpe.whole": "w is the word, V the vocabulary.",
    "bpe.bytes": "w is the word, b are its n bytes.",
    "bpe.choose": "s are the symbols of the word so far, i* is where the pair of the lowest "
    "rank is: the one that was learned first.",
    "bpe.merge": _MERGE,
    "bpe.word": "w is the word, t are its k tokens.",
    "bpe.draw": _DRAW,
    "wordpiece.look": "w is the word, cut from character i to j; V is the vocabulary.",
    "wordpiece.take": "w is the word, cut from character i on; V is the vocabulary, j* the end "
    "of the longest piece that it holds.",
    "wordpiece.unknown": "w is the word.",
    "sentencepiece.rewrite": "x is the text.",
    "sentencepiece.spaces": "x is the text, _ the sign for a space.",
    "sentencepiece.bytes": "c is the character, b are its k bytes.",
    "sentencepiece.unknown": "c is the character.",
    "sentencepiece-bpe.letters": "w is the word, c are its n characters.",
    "sentencepiece-bpe.choose": "s are the symbols of the word so far, i* is where the pair is "
    "that spells the piece with the highest score.",
    "sentencepiece-bpe.merge": _MERGE,
    "sentencepiece-bpe.draw": _DRAW,
    "unigram.nodes": "x is the text, cut from place i to j; V is the vocabulary.",
    "unigram.unknown": "p is the probability of a piece x; unk stands for a character without one.",
    "unigram.arrive": "f is the best score up to place i, p the probability of the piece from "
    "i to j.",
    "unigram.keep": "f is the best score up to a place, p the probability of the piece from i "
    "to j.",
    "unigram.backtrace": "i* is where the best piece begins that ends at place j.",
    "unigram.take": "s is the rest of a way, from place i on, p the probability of its pieces "
    "x; f is the best score up to there.",
    "unigram.forward": "a is the logarithm of what all ways up to a place weigh together, p "
    "the probability of the piece from i to j, \u03b1 how much it counts.",
    "unigram.posterior": "P is the probability of the piece from i to j; a and b are the "
    "logarithms of what all ways up to i and from j on weigh together, N is the end.",
    "tree.merge": "t is the piece, made of the two pieces on its left and right.",
    "tree.leaf": "t is the piece, V_0 the vocabulary with which training began.",
    "vocabulary.match": "t is a piece of the vocabulary V that holds q.",
    "unigram.sample": "P is the probability that a way to place j ends with the piece from i; "
    "a is the logarithm of what all ways up to a place weigh together.",
}


def symbols_of(step: Step) -> list[str]:
    """What the symbols of a step's formula mean: one sentence, or none."""
    return [SYMBOLS[step.name]] if step.name in SYMBOLS else []
