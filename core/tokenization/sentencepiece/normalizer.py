"""The text that SentencePiece cuts: one spelling, one kind of space, and where each came from.

A text is rewritten by character rules (none for the normalizer called identity). Then spaces at
its ends go, runs of spaces become one, the text gets a space in front, so that its first word looks
like every other word, and every space becomes the visible "▁". For each character of the result we
keep which byte of the original it came from.

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

SPACE = "▁"  # U+2581: SentencePiece writes a space so, "▁the" for " the"


def readable(piece: str) -> str:
    """A written piece as people read it, "▁the" as "␣the": a space has one sign everywhere."""
    return visible(piece.replace(SPACE, " "))


_SPACES_OR_WORD = re.compile(" +|[^ ]+")


class Rules(Protocol):
    """Rewrites a text from left to right, the longest match first."""

    @property
    def touched(self) -> AbstractSet[str]:
        """Without one of these characters a text stays as it is."""

    def match(self, text: str, start: int) -> tuple[int, str] | None:
        """The longest rule at a place: how many characters it takes, and what it gives."""


@dataclass(frozen=True, slots=True)
class Normalized:
    """A normalized text, and for each of its characters and for its end the place it came from.

    text    n characters
    starts  n + 1 positions in the UTF-8 bytes of the original, never falling
    """

    text: str
    starts: list[int]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Characters of a text and what they became: one rule's, or a run that no rule touched."""

    start: int
    stop: int
    given: str
    run: bool = False


class SentencePieceNormalizer:
    """Rules for characters, then rules for spaces.

    rules                     "nmt_nfkc", "identity", or rules that were read from a file
    name                      what the rules are called, where that is not the word above
    add_dummy_prefix          put a space before the text
    remove_extra_whitespaces  drop spaces at both ends, join those that stand together
    escape_whitespaces        write spaces as "▁"
    whitespace_as_suffix      put that space behind the text
    protected                 pieces that are taken as they stand, whatever the rules say

    Raises ValueError for the name of rules that do not exist.
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
        """The same normalizer with other protected pieces."""
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
        """The text that is cut into pieces. A lone surrogate counts as U+FFFD."""
        text = clean_text(text)
        rewritten = self._apply_rules(text)
        if rewritten is None:
            return self.trace(text).text
        if self.remove_extra_whitespaces:
            rewritten = re.sub(" +", " ", rewritten.strip(" "))
            return self._finish(rewritten) if rewritten else ""
        return self._finish(rewritten) if text else ""

    def _apply_rules(self, text: str) -> str | None:
        """The text after the rules for characters; None where the rules for spaces need to know
        which rule gave them: a piece is protected, or a rule gives two spaces at once.
        """
        if self._protected.search(text) or self.whitespace_as_suffix:
            return None
        parts: list[str] = []
        place = 0
        for at in self._touched_places(text):
            if self.rules is None or at < place:
                continue
            # The touched character may stand second in a sequence, so look one further back.
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
        """The text after the rules for characters, its spaces joined but not yet made visible."""
        return "".join([given for given, _ in self._rewrite(list(self._chunks(clean_text(text))))])

    def trace(self, text: str) -> Normalized:
        """Normalizes a text; returns it with the byte positions that its characters came from."""
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
        """Adds the extra space, makes spaces visible, and takes those at the end away."""
        space = SPACE if self.escape_whitespaces else " "
        text = text.replace(" ", space)
        if self.add_dummy_prefix and not self.whitespace_as_suffix:
            text = space + text
        if self.remove_extra_whitespaces:
            text = text.rstrip(space)
        return text + space * self._extra_at_end

    def _touched_places(self, text: str) -> list[int]:
        """Where characters stand that some rule could change."""
        touched = self._touched
        if touched.isdisjoint(text):
            return []
        return [place for place, character in enumerate(text) if character in touched]

    def _chunks(self, text: str) -> Iterator[Chunk]:
        """Cuts a text into what the rules take."""
        place = 0
        touched = iter(self._touched_places(text))
        at = next(touched, len(text) + 1)
        protected = self._protected.search(text)
        while place < len(text):
            # A search may look through the rest of the text: only what was passed is sought anew.
            while at < place:
                at = next(touched, len(text) + 1)
            if protected and protected.start() < place:
                protected = self._protected.search(text, place)
            next_piece = protected.start() if protected else len(text)
            # The touched character may stand second in a sequence, so look one further back.
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
        """Where the text begins, its leading spaces left out; None when nothing else is there."""
        for chunk in chunks:
            if not self.remove_extra_whitespaces:
                return chunk.start
            if chunk.run and (words := chunk.given.lstrip(" ")):
                return chunk.stop - len(words)
            if not chunk.run and chunk.given != " ":
                return chunk.start
        return None

    def _rewrite(self, chunks: Sequence[Chunk]) -> Iterator[tuple[str, Sequence[int]]]:
        """What is kept of each chunk when spaces are joined, with the places it came from."""
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
    """The rules of that name; None for identity, which has none."""
    if name == "nmt_nfkc":
        return nmt_nfkc()
    if name == "identity":
        return None
    raise ValueError(f"no normalizer is called {name!r}: choose nmt_nfkc or identity")


def one_of(strings: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds the first of these strings, the longest where several begin."""
    longest_first = sorted(filter(None, strings), key=lambda string: (-len(string), string))
    if longest_first and len(longest_first[0]) == 1:
        return re.compile("[" + "".join(map(re.escape, longest_first)) + "]")
    return re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
