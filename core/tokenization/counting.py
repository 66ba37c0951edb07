"""Counts the words of a text: the first stage of every trainer that merges."""

from collections import Counter
from collections.abc import Generator, Iterable, Sequence

from core.jobs import Pace
from core.tokenization.steps import CountingStep


def count_words(
    batches: Iterable[tuple[int, Sequence[str]]],
) -> Generator[CountingStep, None, Counter[str]]:
    """Counts words, yielding progress; returns how often each different word occurs.

    batches  consecutive parts of the text: the number of characters read, and their words

    Raises ValueError if there are no words.
    """
    counts: Counter[str] = Counter()
    characters = words = 0
    pace = Pace()
    for size, batch in batches:
        counts.update(batch)
        words += len(batch)
        characters += size
        if pace.is_due():
            yield CountingStep(characters, words, len(counts))
            pace.go_on()
    yield CountingStep(characters, words, len(counts))
    if not counts:
        raise ValueError(
            "the text is empty or has no words, so there is nothing to learn from: choose another"
        )
    return counts
