"""Searches a vocabulary for pieces that contain, begin with or match a query."""

import re
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import regex

from core.jobs import to_the_end
from core.tokenization.byte_level import BYTE_OF_CHARACTER, to_bytes
from core.tokenization.telling import arrays, quoted, shown
from core.tokenization.tokenizer import Tokenizer
from core.tokenization.wordpiece.tokenizer import PREFIX
from core.trace import Step

WAYS = ("contains", "begins", "ends", "is", "regex", "bytes")
PAUSE = 20_000  # pieces between two yields, a few milliseconds
PATIENCE = 2.0  # seconds that a regular expression may take for the whole vocabulary
MAX_QUERY = 1000  # characters
# Signs for white space in vocabularies and in texts about them.
_SIGNS = str.maketrans(
    {**dict.fromkeys("Ġ▁␣·", " "), **dict.fromkeys("Ċ↵", "\n"), "⇥": "\t", "␍": "\r"}
)
_BYTE_SIGNS = {one for one in BYTE_OF_CHARACTER if one >= "\u0100"}  # not Latin-1 letters
_HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2}\s*)+")


@dataclass(frozen=True, slots=True)
class Match:
    """A search result: the piece's id, its spelling in the vocabulary and its bytes."""

    token: int
    piece: str
    data: bytes

    @property
    def text(self) -> str:
        """The bytes as text; an incomplete character becomes U+FFFD."""
        return self.data.decode("utf-8", "replace")


class VocabularyIndex:
    """The bytes of every piece of a tokenizer, cached for many searches.

    >>> VocabularyIndex(tokenizer).search("ing", "ends", limit=10)
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._data: list[bytes] = []

    def build_steps(self) -> Generator[int, None, None]:
        """Reads the vocabulary; yields the number of pieces read. A search does this if needed."""
        for token in range(len(self._data), self.tokenizer.vocab_size):
            self._data.append(self.tokenizer.piece_bytes(token))
            if token % PAUSE == PAUSE - 1:
                yield token + 1

    def search_steps(
        self, query: str, way: str = "contains", *, limit: int = 1000, any_case: bool = False
    ) -> Generator[list[Match], None, list[Match]]:
        """Searches the vocabulary; yields the pieces found so far and returns all of them, by id.

        way       "contains", "begins", "ends", "is": compares the piece's text. A space may be
                  written with any of its signs: "Ġthe", "▁the", "␣the", "·the" and " the" find the
                  same pieces; and "##ing" finds the pieces with this spelling in WordPiece;
                  "regex": a regular expression that matches anywhere in the piece's text;
                  "bytes": contains these bytes, in hexadecimal ("e2 96 81")
        any_case  ignores the case of letters

        Raises ValueError for an unknown way, a query that is empty or longer than 1,000 characters,
        invalid hexadecimal, and a regular expression that is invalid or takes too long.
        """
        matches = _matcher(query, way, any_case)
        as_spelled = PREFIX in query and way in ("contains", "begins", "ends", "is")
        for _ in self.build_steps():
            yield []
        found: list[Match] = []
        for token, data in enumerate(self._data):
            piece = self.tokenizer.vocabulary[token]
            if data and (matches(data) or (as_spelled and matches(piece.encode()))):
                found.append(Match(token, piece, data))  # step: match
                if len(found) >= limit:
                    break
            if token % PAUSE == PAUSE - 1:
                yield list(found)
        return found

    def search(
        self, query: str, way: str = "contains", *, limit: int = 1000, any_case: bool = False
    ) -> list[Match]:
        """Runs search_steps to the end; returns all pieces found."""
        return to_the_end(self.search_steps(query, way, limit=limit, any_case=any_case))


def match_step(match: Match) -> Step:
    """Returns the step that shows one search result."""
    return Step(
        "vocabulary.match",
        f"{quoted(shown(match.piece, match.data))} is piece {match.token:,} of the vocabulary",
        r"\{\, t \in V : q \subseteq t \,\}",
        "core.tokenization.analysis.search:VocabularyIndex.search_steps#match",
        arrays({"token": match.token, "piece": match.piece}),
    )


def _matcher(query: str, way: str, any_case: bool) -> Callable[[bytes], bool]:
    """Returns the test that is applied to every piece's bytes."""
    if way not in WAYS:
        raise ValueError(f"pieces cannot be searched by {way!r}: choose one of {', '.join(WAYS)}")
    if not query or len(query) > MAX_QUERY:
        raise ValueError(f"a search takes 1 to {MAX_QUERY:,} characters: this is {len(query):,}")
    if way == "bytes":
        if not _HEXADECIMAL.fullmatch(query.strip()):
            raise ValueError(f"{query!r} is not bytes in hexadecimal: write them as 'e2 96 81'")
        wanted = bytes.fromhex(query)
        return lambda data: wanted in data
    if way == "regex":
        return _regex_matcher(query, any_case)
    if any_case:
        return _folded_matcher(tuple({_folded(reading) for reading in readings(query)}), way)
    spelled = tuple(readings(query))
    return {
        "contains": lambda data: any(one in data for one in spelled),
        "begins": lambda data: data.startswith(spelled),
        "ends": lambda data: data.endswith(spelled),
        "is": lambda data: data in spelled,
    }[way]


def with_spaces(query: str) -> str:
    """Replaces the signs for white space in a query by white space."""
    return query.translate(_SIGNS)


def readings(query: str) -> list[bytes]:
    """Returns the bytes that a query may stand for: those of the query itself, of the query with
    white space for its signs, and, if it has a sign of byte-level pieces, of that piece.

    >>> readings("Ġthe")
    [b'\\xc4\\xa0the', b' the']
    """
    found = [query.encode("utf-8", "replace"), with_spaces(query).encode("utf-8", "replace")]
    if _BYTE_SIGNS & set(query) and set(query) <= BYTE_OF_CHARACTER.keys():
        found.append(to_bytes(query))
    return list(dict.fromkeys(found))


def _folded(data: bytes) -> str:
    return data.decode("utf-8", "replace").casefold()


def _folded_matcher(wanted: tuple[str, ...], way: str) -> Callable[[bytes], bool]:
    return {
        "contains": lambda data: any(one in _folded(data) for one in wanted),
        "begins": lambda data: _folded(data).startswith(wanted),
        "ends": lambda data: _folded(data).endswith(wanted),
        "is": lambda data: _folded(data) in wanted,
    }[way]


def _regex_matcher(query: str, any_case: bool) -> Callable[[bytes], bool]:
    """Returns a regular expression's test, with a limit on the total time of matching."""
    try:
        pattern = regex.compile(query, regex.IGNORECASE if any_case else 0)
    except (regex.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{query!r} is no regular expression ({error}): correct it") from None
    left = PATIENCE

    def matches(data: bytes) -> bool:
        nonlocal left
        begun = time.monotonic()
        try:
            found = pattern.search(data.decode("utf-8", "replace"), timeout=max(left, 1e-3))
        except TimeoutError:
            raise ValueError(
                f"{query!r} takes too long: write it with fewer repetitions inside one another"
            ) from None
        left -= time.monotonic() - begun
        return found is not None

    return matches
