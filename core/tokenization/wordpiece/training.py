"""WordPiece, trained from scratch, by either of the two rules known by this name.

A word starts as its characters, all but the first with "##" before them: "the" is t ##h ##e. Pairs
are joined into pieces as in byte-pair encoding; joined, the right part loses its "##". What differs
is which pair is the best:

    count       the most frequent one; among equally frequent pairs, the one with the smallest ids.
                This is the rule of the Hugging Face tokenizers library: BPE in another spelling
    likelihood  count(pair) / (count(left) count(right)), the pair that its parts predict least:
                joining it makes the text more likely than joining any other. Among equals, the one
                that occurs first in the text. Google's trainer was never published; this is how its
                paper and the Hugging Face course describe it

Ids go to the special tokens, to the continuing characters in their order, to the characters, then
to the merges. The library numbers continuing characters in the order of a hash map, which differs
from run to run, and so do its ties; given this order (as special tokens) it learns the same merges.

Source: Schuster and Nakajima 2012, "Japanese and Korean Voice Search", section 3; Wu et al. 2016,
section 4.1; the Hugging Face LLM course, chapter 6.
"""

import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from core.tokenization.bpe.training import Learner, alphabet_step
from core.tokenization.byte_level import clean_text
from core.tokenization.counting import count_words
from core.tokenization.steps import AlphabetStep, CountingStep, MergeStep, Rival
from core.tokenization.symbol_row import Pair, SymbolRow, row_of_words
from core.tokenization.wordpiece.bert_text import BertText
from core.tokenization.wordpiece.tokenizer import BERT_TOKENS, PREFIX

SCORES = ("count", "likelihood")
CHUNK = 1 << 15  # characters normalized at once
SPACE = re.compile(r"[ \t\n\r]")

Numbers = TypeVar("Numbers", float, np.ndarray)
WordPieceStep = CountingStep | AlphabetStep | MergeStep


@dataclass(frozen=True, slots=True)
class TrainedWordPiece:
    """The result of training: pieces by id, and merges by rank as pairs of ids."""

    vocabulary: list[str]
    merges: list[Pair]
    special_tokens: dict[str, int]


def wordpiece_steps(
    texts: Iterable[str],
    vocab_size: int,
    special_tokens: Sequence[str] = BERT_TOKENS,
    min_frequency: int = 0,
    *,
    score: str = "count",
    text: BertText | None = None,
    rivals: int = 0,
) -> Generator[WordPieceStep, None, TrainedWordPiece]:
    """Trains on the texts, one merge at a time; the generator returns the result.

    score   "count" or "likelihood"
    text    how texts are normalized and cut into words; None: lower case without accents
    rivals  how many of the next best pairs each MergeStep lists

    It ends early, with fewer than vocab_size pieces, when no two neighbors are left to join or no
    pair occurs min_frequency times.

    Raises ValueError for an unknown rule, texts without words, and a vocab_size too small for the
    special tokens and every character.
    """
    if score not in SCORES:
        raise ValueError(f"WordPiece has no rule {score!r}: choose one of {', '.join(SCORES)}")
    counted = yield from count_words(read_words(texts, text or BertText()))
    specials = list(dict.fromkeys(special_tokens))
    letters = {letter for word in counted for letter in word}
    going_on = {PREFIX + letter for word in counted for letter in word[1:]}
    pieces = [*specials, *sorted(going_on), *sorted(letters)]
    vocabulary = list(dict.fromkeys(pieces))
    if vocab_size < len(vocabulary):
        raise ValueError(
            f"vocab_size {vocab_size:,} is too small: {len(specials)} special tokens, the text's "
            f"{len(letters):,} characters and {len(going_on):,} that go on inside a word need "
            f"{len(vocabulary):,}; choose at least {len(vocabulary):,}"
        )
    row = row_of_letters(counted, vocabulary)
    learner: Learner = CountLearner(row, vocabulary)
    if score == "likelihood":
        learner = LikelihoodLearner(row, vocabulary)
    yield alphabet_step(row, list(vocabulary), learner.algorithm)
    merges = yield from learner.learn(vocab_size, min_frequency, rivals)
    return TrainedWordPiece(vocabulary, merges, {token: learner.ids[token] for token in specials})


def read_words(texts: Iterable[str], rules: BertText) -> Iterator[tuple[int, list[str]]]:
    """Yields the words of all texts, part by part, with the part's size in characters."""
    for text in texts:
        for chunk in cut_at_spaces(clean_text(text)):
            yield len(chunk), rules.split(rules.normalize(chunk))


def cut_at_spaces(text: str, size: int = CHUNK) -> Iterator[str]:
    """Yields parts of a text that end before a space, so that no word is cut."""
    start = 0
    while start < len(text):
        space = SPACE.search(text, start + size)
        end = space.start() if space else len(text)
        yield text[start:end]
        start = end


def row_of_letters(counted: Counter[str], vocabulary: Sequence[str]) -> SymbolRow:
    """Builds a row of words spelled with their characters, all but the first prefixed."""
    ids = {piece: token for token, piece in enumerate(vocabulary)}
    spelled = ([ids[word[0]], *(ids[PREFIX + letter] for letter in word[1:])] for word in counted)
    return row_of_words(spelled, list(counted.values()))


class CountLearner(Learner):
    """Repeatedly merges the most frequent pair, as in BPE."""

    algorithm = "wordpiece"

    def join(self, pair: Pair) -> str:
        left, right = (self.vocabulary[token] for token in pair)
        return left + right.removeprefix(PREFIX)


def likelihood(pair: Numbers, left: Numbers, right: Numbers) -> Numbers:
    """Returns the score of a pair, from the number of occurrences of it and of its two parts.

    Given numbers, it returns a number; given arrays (n,) of n pairs, an array (n,). Schuster &
    Nakajima 2012, section 3, add the piece that makes the text most likely; this ratio is how the
    Hugging Face LLM course, chapter 6, describes it.
    """
    score = pair / (left * right)  # step: score
    return score


class LikelihoodLearner(CountLearner):
    """Repeatedly merges the pair that is most frequent relative to its parts.

    A merge makes its parts rarer and so raises the score of every other pair that contains them.
    A heap cannot maintain such scores, so all pairs are scored again, in one pass over arrays.
    """

    algorithm = "wordpiece-likelihood"

    def __init__(self, row: SymbolRow, vocabulary: list[str]) -> None:
        super().__init__(row, vocabulary)
        self.pairs = list(row.where)
        self.places = list(row.where.values())
        self.number = {pair: index for index, pair in enumerate(self.pairs)}
        self.lefts = _Growing(left for left, _ in self.pairs)
        self.rights = _Growing(right for _, right in self.pairs)
        self.pair_counts = _Growing(row.count[pair] for pair in self.pairs)
        self.counts = _Growing([*row.counts, *[0] * (len(vocabulary) - len(row.counts))])

    def learn(
        self, vocab_size: int, min_frequency: int, rivals: int
    ) -> Generator[MergeStep, None, list[Pair]]:
        while self.size < vocab_size and self.pairs:
            scores = self.score_pairs(max(1, min_frequency))
            best = self.first_of_best(scores, scores.max())
            if scores[best] <= 0:
                break
            pair = self.pairs[best]
            count = self.row.count[pair]
            parts = tuple(int(self.counts.values[token]) for token in pair)
            score = float(likelihood(count, *parts))
            others = self.tell_others(scores, best, rivals)
            token = self.name(self.join(pair))
            before = self.row.tokens
            gained = self.row.merge(*pair, token, self.places[best])
            self.update(pair, token, before - self.row.tokens, gained)
            yield self.tell(pair, token, count, score, others, parts)
        return self.merges

    def score_pairs(self, min_frequency: int) -> np.ndarray:
        """Returns the score of every pair; 0 for those that are too rare."""
        pair, counts = self.pair_counts.values, self.counts.values
        left, right = counts[self.lefts.values], counts[self.rights.values]
        with np.errstate(invalid="ignore"):  # 0 / 0 for a piece that no word contains any more
            scores = likelihood(pair, left, right)
        scores[pair < min_frequency] = 0
        return scores

    def first_of_best(self, scores: np.ndarray, score: float) -> int:
        """Returns the pair, among those with this score, that occurs first in the text."""
        equal = np.flatnonzero(scores == score).tolist()
        return min(equal, key=self.first_place) if len(equal) > 1 else equal[0]

    def first_place(self, index: int) -> int:
        """Returns the first place of a pair, and deletes outdated places before it."""
        pair, places = self.pairs[index], self.places[index]
        gone = 0
        while gone < len(places) and not self.row.stands(pair, places[gone]):
            gone += 1
        del places[:gone]
        return places[0] if places else len(self.row.symbols)

    def update(self, pair: Pair, token: int, merged: int, gained: dict[Pair, list[int]]) -> None:
        """Updates the counts of pieces and of the pairs around the merged ones."""
        left, right = pair
        self.counts.grow(token + 1)
        counts = self.counts.values
        counts[token] += merged
        counts[left] -= merged
        counts[right] -= merged
        self.pair_counts.values[self.number[pair]] = 0
        touched: set[Pair] = set()
        for neighbors, places in gained.items():
            if neighbors not in self.number:
                self.number[neighbors] = len(self.pairs)
                self.pairs.append(neighbors)
                self.places.append(places)
                self.lefts.append(neighbors[0])
                self.rights.append(neighbors[1])
                self.pair_counts.append(0)
            touched.add(neighbors)
            if neighbors[1] == token:
                touched.add((neighbors[0], left))
            if neighbors[0] == token:
                touched.add((right, neighbors[1]))
        for neighbors in touched & self.number.keys():
            if neighbors != pair:
                index = self.number[neighbors]
                self.pair_counts.values[index] = self.row.count[neighbors]

    def tell_others(self, scores: np.ndarray, best: int, number: int) -> tuple[Rival, ...]:
        """Returns the pairs with the next highest scores."""
        if number == 0:
            return ()
        nearest = min(len(scores), number + 1)
        limit = np.partition(scores, -nearest)[-nearest]
        found = [
            index
            for index in np.flatnonzero(scores >= max(limit, 1e-300)).tolist()
            if index != best
        ]
        found.sort(key=lambda index: (-scores[index], self.first_place(index)))
        return tuple(
            Rival(
                self.vocabulary[self.pairs[index][0]],
                self.vocabulary[self.pairs[index][1]],
                self.row.count[self.pairs[index]],
                float(scores[index]),
            )
            for index in found[:number]
        )


class _Growing:
    """An array of integers that grows at its end."""

    def __init__(self, values: Iterable[int]) -> None:
        self._room = np.array(list(values), np.int64)
        self._size = len(self._room)

    @property
    def values(self) -> np.ndarray:
        return self._room[: self._size]

    def append(self, value: int) -> None:
        self.grow(self._size + 1)
        self._room[self._size - 1] = value

    def grow(self, size: int) -> None:
        """Extends the array with zeros to this size."""
        if size > len(self._room):
            self._room = np.append(self._room, np.zeros(size, np.int64))
        self._size = max(self._size, size)
