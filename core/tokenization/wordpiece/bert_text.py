"""BERT's text: cleaned, without case and accents, then split at white space and punctuation.

The normalizer replaces each character separately:

    clean      NUL, U+FFFD, controls, formats and private characters are removed; white space
               becomes a space
    ideograms  get a space on both sides, so that each is a word
    accents    the character is decomposed (NFD) and its marks are removed: "é" becomes "e"
    lower case

Words are then the text between white space, with every punctuation sign a word by itself.

Source: Devlin et al. 2019 and the BasicTokenizer of its code, in the order of the Hugging Face
tokenizers library. Google's code differs in three ways: it lowercases before it removes accents,
keeps private characters, and includes ideograms from U+2B820 on, where the library starts at
U+2B920.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

import regex

from core.tokenization.wordpiece.unicode_8 import FORMATS, MARKS, ORDERED, PUNCTUATION

IDEOGRAMS = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)
_SIGNS = r"!-/:-@\[-`{-~"  # ASCII
_MORE_SIGNS = regex.escape("".join(sorted(PUNCTUATION)))
_ASCII_WORDS = re.compile(rf"[^\s{_SIGNS}]+|[{_SIGNS}]", re.ASCII)
_WORDS = regex.compile(rf"[^\s{_SIGNS}{_MORE_SIGNS}]++|[{_SIGNS}{_MORE_SIGNS}]")


@dataclass(frozen=True, slots=True)
class Aligned:
    """A normalized text with the source of each character.

    source  for each of its characters, the index of the original character, never decreasing
    """

    text: str
    source: list[int]


@dataclass(frozen=True)
class BertText:
    """BERT's rules for normalizing text and splitting it into words.

    lowercase      "Hello" becomes "hello" (the uncased models)
    strip_accents  "é" becomes "e"; None: same as lowercase
    ideograms      every Chinese character is a word
    clean          removes invisible characters
    """

    lowercase: bool = True
    strip_accents: bool | None = None
    ideograms: bool = True
    clean: bool = True
    _table: "_Table" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_table", _Table(self))

    @property
    def replacements(self) -> Mapping[int, str]:
        """The replacement of each character, in the form that str.translate requires."""
        return self._table

    @property
    def strips_accents(self) -> bool:
        """Whether accents are removed; by default only if text is lowercased."""
        return self.lowercase if self.strip_accents is None else self.strip_accents

    def normalize(self, text: str) -> str:
        """Replaces each character according to the rules."""
        normalized = text.translate(self._table)  # step: normalize
        if self._table.movable and not self._table.movable.isdisjoint(normalized):
            return self.align(text).text  # NFD may reorder such marks
        return normalized

    def align(self, text: str) -> Aligned:
        """Returns the normalized text and the source position of each of its characters."""
        if text.isascii() and text.isprintable():
            return Aligned(text.lower() if self.lowercase else text, list(range(len(text))))
        letters: list[tuple[str, int]] = []
        for place, character in enumerate(text):
            letters += [(part, place) for part in self.prepare(character)]
        if self.strips_accents:
            letters = [(c, place) for c, place in take_apart(letters) if c not in MARKS]
        if self.lowercase:
            letters = [(part, place) for c, place in letters for part in c.lower()]
        normalized = "".join([part for part, place in letters])  # step: align
        return Aligned(normalized, [place for _, place in letters])

    def prepare(self, character: str) -> str:
        """Returns one character cleaned, with spaces around it if it is an ideogram."""
        if self.clean:
            if is_invisible(character):
                return ""
            if character.isspace():
                return " "
        if self.ideograms and is_ideogram(character):
            return f" {character} "
        return character

    def split(self, normalized: str) -> list[str]:
        """Returns the words of a normalized text."""
        pattern = _ASCII_WORDS if normalized.isascii() else _WORDS
        words: list[str] = pattern.findall(normalized)  # step: cut
        return words

    def places(self, normalized: str) -> list[tuple[int, int]]:
        """Returns the (start, end) of each word in a normalized text, in characters."""
        pattern = _ASCII_WORDS if normalized.isascii() else _WORDS
        return [match.span() for match in pattern.finditer(normalized)]


class _Table(dict[int, str]):
    """The table for str.translate: replacements are computed at their first use."""

    def __init__(self, rules: BertText) -> None:
        super().__init__()
        self._rules = rules
        self.movable: set[str] = set()

    def __missing__(self, code: int) -> str:
        rules = self._rules
        made = rules.prepare(chr(code))
        if rules.strips_accents:
            made = "".join([part for c in made for part in decompose(c) if part not in MARKS])
            self.movable.update(c for c in made if combining_class(c))
        if rules.lowercase:
            made = "".join([c.lower() for c in made])
        self[code] = made
        return made


def is_invisible(character: str) -> bool:
    """Returns True for controls, formats, private characters and signs of broken text."""
    if character in "\t\n\r":
        return False
    return (
        character in "\0\ufffd"
        or character in FORMATS
        or unicodedata.category(character) in ("Cc", "Co")
    )


def is_ideogram(character: str) -> bool:
    """Returns True if BERT makes a character a word of its own, as with Chinese characters."""
    code = ord(character)
    return code >= IDEOGRAMS[0][0] and any(first <= code <= last for first, last in IDEOGRAMS)


def decompose(character: str) -> str:
    """Returns the parts of a composed character: "é" is "e" and an accent."""
    return unicodedata.normalize("NFD", character)


def combining_class(character: str) -> int:
    """Returns the order of a mark among several on one letter; 0 for other characters."""
    return unicodedata.combining(character) if character in ORDERED else 0


def take_apart(letters: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Applies NFD: decomposes every letter and sorts the marks after it by their class.

    Positions stay in order: each first part takes the next position, and each further part that of
    the part before it, regardless of the sorting.
    """
    parts: list[tuple[str, bool]] = []  # is it a first part?
    for character, _ in letters:
        decomposed = decompose(character)
        parts.append((decomposed[0], True))
        parts += [(part, False) for part in decomposed[1:]]
    start = 0
    while start < len(parts):
        end = start
        while end < len(parts) and combining_class(parts[end][0]):
            end += 1
        if end - start > 1:
            parts[start:end] = sorted(parts[start:end], key=lambda part: combining_class(part[0]))
        start = end + 1
    places = iter([place for _, place in letters])
    place = 0
    placed: list[tuple[str, int]] = []
    for character, first in parts:
        place = next(places) if first else place
        placed.append((character, place))
    return placed
