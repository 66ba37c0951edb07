"""A cache of words with their ids: nearly all words of a text have occurred before."""

from collections.abc import Callable, Sequence

CACHED_WORDS = 200_000  # words, about 40 MB with their ids
CACHED_LENGTH = 64  # characters; longer words rarely occur twice


class WordCache:
    """Caches the ids of words of at most `longest` characters."""

    def __init__(self, longest: int = CACHED_LENGTH) -> None:
        self._longest = longest
        self._known: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def encode(self, words: Sequence[str], encode_word: Callable[[str], list[int]]) -> list[int]:
        """Returns the ids of all words, in order; calls encode_word only for new words."""
        known = self._known
        long: dict[str, list[int]] = {}
        for word in set(words).difference(known):
            (known if len(word) <= self._longest else long)[word] = encode_word(word)
        if len(known) > CACHED_WORDS:
            self._known = {}  # a new dict: another thread may still read the old one

        return [token for word in words for token in known.get(word) or long[word]]

    def forget(self) -> None:
        """Empties the cache, since the tokenizer now splits words differently."""
        self._known = {}
