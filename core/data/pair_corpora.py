"""The corpora of pairs by name."""

from collections.abc import Callable

from core.data.dates import Dates
from core.data.pairs import Copies, PairCorpus
from core.files import quoted

PAIR_CORPORA: dict[str, Callable[[], PairCorpus]] = {Dates.name: Dates, Copies.name: Copies}


def pair_corpus(name: str) -> PairCorpus:
    """Returns the corpus of that name. Raises ValueError, listing all names, for an unknown one."""
    if name not in PAIR_CORPORA:
        raise ValueError(
            f"there are no pairs {quoted(name)}; use {' or '.join(map(repr, PAIR_CORPORA))}"
        )
    return PAIR_CORPORA[name]()
