"""The meaning of the symbols in each step's formula, for the inspector's first row."""

from __future__ import annotations

from core.trace import Step

_SYMBOLS = "s₁, s₂, … are the word's symbols"
_MERGE = f"{_SYMBOLS}; the two at i* and i* + 1 become one."
_DRAW = "u is a random number between 0 and 1; p, the dropout, is the probability of a skip."
_TOKENS = "w is the word; t₁ … tₖ are its tokens."
_WEIGHTS = "the logarithm of the summed weights of all ways"
SYMBOLS = {
    "encoding.normalizer": "x is the text.",
    "encoding.special": "x is this part of the text; S is the set of special tokens.",
    "encoding.whole": "x is this part of the text; U is the set of pieces that are never cut.",
    "encoding.pre-tokenizer": "x is the text; w₁ … wₘ are its words.",
    "encoding.model": _TOKENS,
    "encoding.post-processor": "x is the text; t₁ … tₙ are its tokens.",
    "bpe.whole": "w is the word; V is the vocabulary.",
    "bpe.bytes": "w is the word; b₁ … bₙ are its bytes.",
    "bpe.choose": f"{_SYMBOLS} so far; i* is the position of the pair with the lowest rank, the "
    "one learned first.",
    "bpe.merge": _MERGE,
    "bpe.word": _TOKENS,
    "bpe.draw": _DRAW,
    "wordpiece.look": "wᵢ:ⱼ is the part of the word from position i to position j; V is the "
    "vocabulary.",
    "wordpiece.take": "j* is the end of the longest piece that starts at position i of the "
    "word w; V is the vocabulary; t₁ … tₖ are the tokens so far.",
    "wordpiece.unknown": "w is the word.",
    "sentencepiece.rewrite": "x is the text.",
    "sentencepiece.spaces": "x is the text; ␣ stands for a space.",
    "sentencepiece.bytes": "c is the character; b₁ … bₖ are its bytes.",
    "sentencepiece.unknown": "c is the character.",
    "sentencepiece-bpe.letters": "w is the word; c₁ … cₙ are its characters.",
    "sentencepiece-bpe.choose": f"{_SYMBOLS} so far; i* is the position of the pair that spells "
    "the highest-scoring piece.",
    "sentencepiece-bpe.merge": _MERGE,
    "sentencepiece-bpe.draw": _DRAW,
    "unigram.nodes": "xᵢ:ⱼ is the part of the text from position i to position j; V is the "
    "vocabulary.",
    "unigram.unknown": "p is the probability of a piece x; unk stands for a character that is not "
    "in the vocabulary.",
    "unigram.arrive": "f is the best score up to position i; p is the probability of the piece "
    "from i to j.",
    "unigram.keep": "f is the best score up to a position; p is the probability of the piece from "
    "i to j.",
    "unigram.backtrace": "i* is the position where the best piece that ends at j begins.",
    "unigram.take": "s is the part of the split chosen so far, from position i to the end; p is "
    "the probability of each piece x in it; f is the best score from the start to i.",
    "unigram.forward": f"a is {_WEIGHTS} to reach a position; the weight of a way is the "
    "product of its pieces' probabilities p, each raised to the power α.",
    "unigram.posterior": "P is the probability that the piece from i to j is used; a is "
    f"{_WEIGHTS} from the start to a position, and b is that of all ways from a position to the "
    "end, N.",
    "tree.merge": "t is the piece; t_left and t_right are the two pieces that it joins.",
    "tree.leaf": "t is the piece; V₀ is the vocabulary that training began with.",
    "vocabulary.match": "V is the vocabulary; t is a piece that contains the query q.",
    "unigram.sample": "P is the probability that the last piece before position j starts at i; a "
    f"is {_WEIGHTS} up to a position.",
}
# The symbols of a step's numbers in its formula; steps that are not listed use the numbers' names.
NUMBERS = {
    "unigram.keep": {"place": "j", "score": "f"},
    "unigram.backtrace": {"place": "i*"},
    "unigram.take": {"reached": "f", "score": "score of s", "promise": "best possible total"},
    "unigram.forward": {"total": "a"},
    "unigram.sample": {"total": "a"},
    "unigram.posterior": {"whole": "a at the end"},
}


def symbols_of(step: Step) -> list[str]:
    """Returns the meaning of the symbols in a step's formula: one sentence or none."""
    return [SYMBOLS[step.name]] if step.name in SYMBOLS else []


def numbers_of(step: Step) -> list[tuple[str, float | str]]:
    """Returns a step's scalars and words, named as in its formula."""
    single = {name: value.item() for name, value in step.values.items() if value.ndim == 0}
    names = NUMBERS.get(step.name, {name: name for name in single})
    return [(names[name], single[name]) for name in names if name in single]
