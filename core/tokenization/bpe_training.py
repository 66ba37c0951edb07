"""Byte-pair encoding, trained from scratch.

Start with single bytes. Count every pair of neighbors, join the most frequent pair into a new
piece, and do it again until the vocabulary is large enough. That is the whole algorithm; the rest
of this file makes it fast: equal words are counted once, only the words that hold the chosen pair
are looked at again, and a heap knows the most frequent pair without a search.

Ties go to the pair with the smallest ids, and ids are given to the special tokens first, then to
the alphabet by code point, then to the merges in their order: the rules of the Hugging Face
tokenizers library, whose merges this trainer reproduces exactly.

Source: Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with Subword
Units", section 3.2, on bytes as in Radford et al. 2019.
"""

import heapq
import time
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from core.tokenization.byte_level import ALPHABET, clean_text, iterate_words, to_characters
from core.tokenization.steps import CountingStep, MergeStep

PAUSE = 0.03  # seconds of work between two yields while words are counted
BATCH = 2048  # words between two looks at the clock

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TrainedBPE:
    """What training gives: pieces by id, and merges by rank as pairs of ids."""

    vocabulary: list[str]
    merges: list[Pair]
    special_tokens: dict[str, int]


def count_words(texts: Iterable[str]) -> Generator[CountingStep, None, Counter[str]]:
    """Counts the words of all texts, and yields while it does. No word crosses two texts."""
    counts: Counter[str] = Counter()
    characters = words = 0
    looked = time.perf_counter()
    for text in texts:
        matches = iterate_words(clean_text(text))
        while batch := list(islice(matches, BATCH)):
            counts.update(batch)
            words += len(batch)
            characters += sum(map(len, batch))
            if time.perf_counter() - looked > PAUSE:
                yield CountingStep(characters, words, len(counts))
                looked = time.perf_counter()
    yield CountingStep(characters, words, len(counts))
    return counts


def count_pairs(
    counted: Counter[str], ids: Mapping[str, int]
) -> Generator[
    CountingStep, None, tuple[list[list[int]], defaultdict[Pair, int], defaultdict[Pair, set[int]]]
]:
    """Spells every word with the alphabet and counts its neighbors, as often as the word occurs.

    Returns the words as ids, how often each pair occurs, and the indices of the words it is in.
    """
    words: list[list[int]] = []
    count: defaultdict[Pair, int] = defaultdict(int)
    where: defaultdict[Pair, set[int]] = defaultdict(set)
    progress = CountingStep(
        characters=sum(len(text) * times for text, times in counted.items()),
        words=counted.total(),
        different_words=len(counted),
    )
    for index, (text, times) in enumerate(counted.items()):
        word = [ids[letter] for letter in to_characters(text.encode())]
        words.append(word)
        for pair in pairwise(word):
            count[pair] += times  # step: count
            where[pair].add(index)
        if index % BATCH == BATCH - 1:
            yield progress
    return words, count, where


def merge_word(word: list[int], pair: Pair, token: int) -> tuple[list[int], list[tuple[Pair, int]]]:
    """Joins every occurrence of the pair in a word, from left to right.

    Returns the new word, and the neighbors that it gained (+1) and lost (-1).
    """
    left, right = pair
    merged: list[int] = []
    changes: list[tuple[Pair, int]] = []
    position, last = 0, len(word) - 1
    while position <= last:
        symbol = word[position]
        if symbol == left and position < last and word[position + 1] == right:
            if merged:
                changes.append(((merged[-1], left), -1))
                changes.append(((merged[-1], token), +1))
            if position + 2 <= last:
                changes.append(((right, word[position + 2]), -1))
                changes.append(((token, word[position + 2]), +1))
            merged.append(token)  # step: merge
            position += 2
        else:
            merged.append(symbol)
            position += 1
    return merged, changes


def bpe_steps(
    texts: Iterable[str],
    vocab_size: int,
    special_tokens: Sequence[str] = (),
    min_frequency: int = 0,
) -> Generator[CountingStep | MergeStep, None, TrainedBPE]:
    """Trains on the texts, one merge at a time; the generator returns the result.

    It ends early, with fewer than vocab_size pieces, when no two neighbors are left to join or no
    pair occurs min_frequency times.

    Raises ValueError when vocab_size cannot hold the special tokens and the 256 bytes.
    """
    specials = list(dict.fromkeys(special_tokens))
    vocabulary = specials + [letter for letter in ALPHABET if letter not in specials]
    if vocab_size < len(vocabulary):
        raise ValueError(
            f"vocab_size {vocab_size} is too small: {len(specials)} special tokens and 256 bytes "
            f"need {len(vocabulary)}; choose at least {len(vocabulary)}"
        )
    ids = {piece: token for token, piece in enumerate(vocabulary)}

    counted = yield from count_words(texts)
    words, count, where = yield from count_pairs(counted, ids)
    frequency = list(counted.values())

    # Smallest first: the highest count, then the smallest ids. The serial number keeps Python from
    # comparing the sets of words.
    heap = [
        (-count[pair], pair, serial, found) for serial, (pair, found) in enumerate(where.items())
    ]
    heapq.heapify(heap)
    serial = len(heap)
    merges: list[Pair] = []
    while heap and len(vocabulary) < vocab_size:
        most_frequent = heapq.heappop(heap)  # step: choose
        expected, pair, _, found = most_frequent
        if -expected != count[pair]:  # other merges took some of them: put it back in its place
            serial += 1
            heapq.heappush(heap, (-count[pair], pair, serial, found))
            continue
        if count[pair] < max(1, min_frequency):
            break
        left, right = pair
        piece = vocabulary[left] + vocabulary[right]
        if piece not in ids:  # the same piece may be reached by two routes
            ids[piece] = len(vocabulary)
            vocabulary.append(piece)
        token = ids[piece]
        merges.append(pair)
        gained: defaultdict[Pair, set[int]] = defaultdict(set)
        for index in found:
            words[index], changes = merge_word(words[index], pair, token)
            times = frequency[index]
            for neighbors, change in changes:
                count[neighbors] += change * times  # step: update
                if change > 0:
                    gained[neighbors].add(index)
        for neighbors, indices in gained.items():
            if count[neighbors] > 0:
                serial += 1
                heapq.heappush(heap, (-count[neighbors], neighbors, serial, indices))
        yield MergeStep(
            rank=len(merges) - 1,
            left=left,
            right=right,
            count=-expected,
            token=token,
            left_piece=vocabulary[left],
            right_piece=vocabulary[right],
            piece=piece,
            vocab_size=len(vocabulary),
        )
    return TrainedBPE(vocabulary, merges, {token: ids[token] for token in specials})
