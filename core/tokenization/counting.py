"""How often each word stands in a text: what every trainer that merges finds out first."""

from collections import Counter
from collections.abc import Generator, Iterable, Sequence

from core.jobs import Pace
from core.tokenization.steps import CountingStep


def count_words(
    batches: Iterable[tuple[int, Sequence[str]]],
) -> Generator[CountingStep, None, Counter[str]]:
    """Counts words, and yields while it does; each different word with how often it occurs.

    batches  parts of the text, one after another: how many characters were read, and their words

    Raises ValueError when there is no word in them.
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
