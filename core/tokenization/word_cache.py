"""Words that were met before, with their ids: nearly all words of a text are old acquaintances."""

from collections.abc import Callable, Sequence

CACHED_WORDS = 200_000  # words remembered with their ids, about 40 MB
CACHED_LENGTH = 64  # characters; longer words are rarely met twice


class WordCache:
    """Remembers words of at most `longest` characters with their ids."""

    def __init__(self, longest: int = CACHED_LENGTH) -> None:
        self._longest = longest
        self._known: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def encode(self, words: Sequence[str], encode_word: Callable[[str], list[int]]) -> list[int]:
        """The ids of all words, one after another; encode_word is asked for new words alone."""
        known = self._known
        long: dict[str, list[int]] = {}
        for word in set(words).difference(known):
            (known if len(word) <= self._longest else long)[word] = encode_word(word)
        if len(known) > CACHED_WORDS:
            self._known = {}  # a new one: another thread may still read the old one
        return [token for word in words for token in known.get(word) or long[word]]

    def forget(self) -> None:
        """Empties the cache: the tokenizer now splits words differently."""
        self._known = {}
