"""SentencePiece's normalizer: one spelling, one kind of space, and the origin of each character.

A text is rewritten by character rules (none for the normalizer called identity). Then spaces at
its ends are removed, runs of spaces become one, the text gets a space in front, so that its first
word looks like every other word, and every space becomes the visible "▁". For each character of the
result, the byte of the original that it came from is recorded.

Source: Kudo and Richardson 2018, "SentencePiece", section 3.2 and 3.3.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from core.tokenization.byte_level import byte_places, clean_text
from core.tokenization.sentencepiece.rules import nmt_nfkc
from core.tokenization.telling import visible

SPACE = "▁"  # U+2581 is SentencePiece's sign for a space, "▁the" for " the"


def readable(piece: str) -> str:
    """Returns a piece as the app displays it, "▁the" as "␣the", with one sign for all spaces."""
    return visible(piece.replace(SPACE, " "))


_SPACES_OR_WORD = re.compile(" +|[^ ]+")


class Rules(Protocol):
    """Rewrites a text from left to right, the longest match first."""

    @property
    def touched(self) -> AbstractSet[str]:
        """The characters without which no rule changes a text."""

    def match(self, text: str, start: int) -> tuple[int, str] | None:
        """Finds the longest rule at a position: the number of characters, and their replacement."""


@dataclass(frozen=True, slots=True)
class Normalized:
    """A normalized text, with the origin of each of its characters and of its end.

    text    n characters
    starts  n + 1 positions in the UTF-8 bytes of the original, never decreasing
    """

    text: str
    starts: list[int]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Characters of a text and their replacement: those of one rule, or a run without a rule."""

    start: int
    stop: int
    given: str
    run: bool = False


class SentencePieceNormalizer:
    """Rules for characters, then rules for spaces.

    rules                     "nmt_nfkc", "identity", or rules read from a file
    name                      the name of the rules, if they were read from a file
    add_dummy_prefix          add a space before the text
    remove_extra_whitespaces  drop spaces at both ends, merge adjacent ones
    escape_whitespaces        write spaces as "▁"
    whitespace_as_suffix      add that space after the text instead
    protected                 pieces that the rules do not change

    Raises ValueError if there are no rules of that name.
    """

    def __init__(
        self,
        rules: str | Rules = "nmt_nfkc",
        *,
        name: str = "",
        add_dummy_prefix: bool = True,
        remove_extra_whitespaces: bool = True,
        escape_whitespaces: bool = True,
        whitespace_as_suffix: bool = False,
        protected: Sequence[str] = (),
    ) -> None:
        self.name = name or (rules if isinstance(rules, str) else "")
        self.rules: Rules | None = named_rules(rules) if isinstance(rules, str) else rules
        self.add_dummy_prefix = add_dummy_prefix
        self.remove_extra_whitespaces = remove_extra_whitespaces
        self.escape_whitespaces = escape_whitespaces
        self.whitespace_as_suffix = whitespace_as_suffix
        self.protected = tuple(protected)
        self._touched = self.rules.touched if self.rules else frozenset()
        self._protected = one_of(protected)

    def protecting(self, pieces: Sequence[str]) -> "SentencePieceNormalizer":
        """Returns the same normalizer with other protected pieces."""
        return SentencePieceNormalizer(
            "identity" if self.rules is None else self.rules,
            name=self.name,
            add_dummy_prefix=self.add_dummy_prefix,
            remove_extra_whitespaces=self.remove_extra_whitespaces,
            escape_whitespaces=self.escape_whitespaces,
            whitespace_as_suffix=self.whitespace_as_suffix,
            protected=pieces,
        )

    def normalize(self, text: str) -> str:
        """Returns the text that is cut into pieces. A lone surrogate counts as U+FFFD."""
        text = clean_text(text)
        rewritten = self._apply_rules(text)
        if rewritten is None:
            return self.trace(text).text
        if self.remove_extra_whitespaces:
            rewritten = re.sub(" +", " ", rewritten.strip(" "))
            return self._finish(rewritten) if rewritten else ""
        return self._finish(rewritten) if text else ""

    def _apply_rules(self, text: str) -> str | None:
        """Applies the rules for characters; returns None if the rules for spaces depend on which
        rule produced them: a piece is protected, or a rule produces two spaces at once.
        """
        if self._protected.search(text) or self.whitespace_as_suffix:
            return None
        parts: list[str] = []
        place = 0
        for at in self._touched_places(text):
            if self.rules is None or at < place:
                continue
            # The touched character may be the second of a sequence, so start one further back.
            start = max(place, at - 1)
            match = self.rules.match(text, start)
            if match is None and start < at:
                start, match = at, self.rules.match(text, at)
            if match is None:
                continue
            taken, given = match
            if "  " in given:
                return None
            parts += (text[place:start], given)
            place = start + taken
        return "".join(parts) + text[place:] if parts else text

    def rewrite(self, text: str) -> str:
        """Applies the rules for characters and merges spaces, without making them visible."""
        return "".join([given for given, _ in self._rewrite(list(self._chunks(clean_text(text))))])

    def trace(self, text: str) -> Normalized:
        """Normalizes a text; returns it with the byte positions of its characters' origins."""
        text = clean_text(text)
        chunks = list(self._chunks(text))
        first = self._first(chunks)
        if first is None:
            return Normalized("", [0])
        kept: list[str] = []
        places: list[int] = []
        for given, origins in self._rewrite(chunks):
            kept.append(given)
            places += origins
        whole = "".join(kept)  # step: rewrite
        normalized = self._finish(whole)  # step: spaces
        places.append(len(text))
        if self.add_dummy_prefix and not self.whitespace_as_suffix:
            places.insert(0, first)
        stripped = len(normalized) - self._extra_at_end
        places = places[: stripped + 1]
        places += [places[-1]] * (len(normalized) + 1 - len(places))
        offsets = byte_places(text)
        return Normalized(normalized, [offsets[place] for place in places])

    @property
    def _extra_at_end(self) -> int:
        return int(self.add_dummy_prefix and self.whitespace_as_suffix)

    def _finish(self, text: str) -> str:
        """Adds the extra space, makes spaces visible, and removes those at the end."""
        space = SPACE if self.escape_whitespaces else " "
        text = text.replace(" ", space)
        if self.add_dummy_prefix and not self.whitespace_as_suffix:
            text = space + text
        if self.remove_extra_whitespaces:
            text = text.rstrip(space)
        return text + space * self._extra_at_end

    def _touched_places(self, text: str) -> list[int]:
        """Returns the positions of the characters that a rule could change."""
        touched = self._touched
        if touched.isdisjoint(text):
            return []
        return [place for place, character in enumerate(text) if character in touched]

    def _chunks(self, text: str) -> Iterator[Chunk]:
        """Cuts a text into the matches of rules, protected pieces, and the runs between them."""
        place = 0
        touched = iter(self._touched_places(text))
        at = next(touched, len(text) + 1)
        protected = self._protected.search(text)
        while place < len(text):
            # A search may scan the rest of the text, so it is repeated only once its match is past.
            while at < place:
                at = next(touched, len(text) + 1)
            if protected and protected.start() < place:
                protected = self._protected.search(text, place)
            next_piece = protected.start() if protected else len(text)
            # The touched character may be the second of a sequence, so stop one further back.
            stop = max(place, min(at - 1, next_piece))
            if stop > place:
                yield Chunk(place, stop, text[place:stop], run=True)
            if stop == len(text):
                return
            if stop == next_piece and protected:
                chunk = Chunk(stop, protected.end(), protected.group())
            else:
                match = self.rules.match(text, stop) if self.rules else None
                if match:
                    chunk = Chunk(stop, stop + match[0], match[1])
                else:
                    chunk = Chunk(stop, stop + 1, text[stop], run=True)
            yield chunk
            place = chunk.stop

    def _first(self, chunks: Sequence[Chunk]) -> int | None:
        """Returns where the text starts after leading spaces, or None if it has only spaces."""
        for chunk in chunks:
            if not self.remove_extra_whitespaces:
                return chunk.start
            if chunk.run and (words := chunk.given.lstrip(" ")):
                return chunk.stop - len(words)
            if not chunk.run and chunk.given != " ":
                return chunk.start
        return None

    def _rewrite(self, chunks: Sequence[Chunk]) -> Iterator[tuple[str, Sequence[int]]]:
        """Merges the spaces of the chunks; yields each remaining part with its origins."""
        after_space = self.remove_extra_whitespaces
        for chunk in chunks:
            if not self.remove_extra_whitespaces:
                origins = range(chunk.start, chunk.stop)
                yield (
                    chunk.given,
                    origins if chunk.run else [chunk.start] * len(chunk.given),
                )
            elif chunk.run:
                for part in _SPACES_OR_WORD.finditer(chunk.given):
                    start = chunk.start + part.start()
                    if part.group()[0] != " ":
                        yield part.group(), range(start, chunk.start + part.end())
                        after_space = False
                    elif not after_space:
                        yield " ", (start,)
                        after_space = True
            else:
                given = chunk.given.lstrip(" ") if after_space else chunk.given
                if given:
                    yield given, [chunk.start] * len(given)
                    after_space = given.endswith(" ")


def named_rules(name: str) -> Rules | None:
    """Returns the rules of that name, or None for identity, which has none."""
    if name == "nmt_nfkc":
        return nmt_nfkc()
    if name == "identity":
        return None
    raise ValueError(f"no normalizer is called {name!r}: choose nmt_nfkc or identity")


def one_of(strings: Iterable[str]) -> re.Pattern[str]:
    """Returns a pattern that finds the first of these strings, the longest of equal starts."""
    longest_first = sorted(filter(None, strings), key=lambda string: (-len(string), string))
    if longest_first and len(longest_first[0]) == 1:
        return re.compile("[" + "".join(map(re.escape, longest_first)) + "]")
    return re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
