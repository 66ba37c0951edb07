"""SentencePiece's rules for single characters and short sequences, applied before a text is cut.

Unicode has several spellings for many things: "é" is one character, or an "e" followed by an
accent; "ﬁ" is a ligature, "Ａ" a wide "A". The rule set nmt_nfkc brings them to one spelling,
Unicode's NFKC; it also turns invisible space into a space and drops control characters.

SentencePiece ships these rules as a table of 225,000 entries. It is not needed: nearly all of them
repeat a rule with look-alikes in place of its characters. So here every character first counts as
the plain character that it stands for, and the rules are written once, for plain characters. They
are computed from Unicode's own data.

Source: Unicode Standard Annex 15; the rule sets are described in SentencePiece's doc/normalization.
"""

import functools
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.files import quoted

# Invisible or odd space that becomes a space, and control characters that are dropped.
SPACES = "\t\n\f\r\u1680\u200b\u200c\u200e\u200f\u2028\u2029\u2581\ufeff\ufffd"
DROPPED = "".join(map(chr, (*range(1, 9), 0x0B, *range(0x0E, 0x20), 0x7F, 0x8F, 0x9F)))
# The wide tilde stays, because Japanese uses it differently from the plain one.
KEPT = "\uff5e"

# Ranges of code points that have decompositions; the gaps between them are ideographs, private use
# and empty planes, which have none.
INTERESTING = (
    (1, 0x3400),
    (0xA000, 0xD7A4),
    (0xF900, 0x17000),
    (0x1B000, 0x20000),
    (0x2F800, 0x2FA20),
)

# Python 3.11 has Unicode 14. These are the decompositions that Unicode 15 and 16 added, which a
# later Python includes: small Cyrillic letters, outlined letters and digits, two-part vowel signs.
CYRILLIC = "абвгдежзиклмопрстуфхцчшыэю\ua689әіјөүӏабвгдежзиклопсуфхцчшъыґіѕџҫ\ua651ұ"
OUTLINED = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
NEW_LOOK_ALIKES = {
    **{chr(0x1E030 + place): plain for place, plain in enumerate(CYRILLIC)},
    **{chr(0x1CCD6 + place): plain for place, plain in enumerate(OUTLINED)},
}
NEW_PAIRS = {
    (0x105D2, 0x307): 0x105C9,
    (0x105DA, 0x307): 0x105E4,
    (0x11382, 0x113C9): 0x11383,
    (0x11384, 0x113BB): 0x11385,
    (0x1138B, 0x113C2): 0x1138E,
    (0x11390, 0x113C9): 0x11391,
    (0x113C2, 0x113B8): 0x113C7,
    (0x113C2, 0x113C2): 0x113C5,
    (0x113C2, 0x113C9): 0x113C8,
    (0x1611E, 0x1611E): 0x16121,
    (0x1611E, 0x1611F): 0x16123,
    (0x1611E, 0x16120): 0x16125,
    (0x1611E, 0x16129): 0x16122,
    (0x16121, 0x1611F): 0x16126,
    (0x16121, 0x16120): 0x16128,
    (0x16122, 0x1611F): 0x16127,
    (0x16129, 0x1611F): 0x16124,
    (0x16D63, 0x16D67): 0x16D69,
    (0x16D67, 0x16D67): 0x16D68,
    (0x16D69, 0x16D67): 0x16D6A,
}


@dataclass(frozen=True)
class CharacterRules:
    """Rules that rewrite a text from left to right, the longest match first.

    singles    a character and its replacement if no longer rule matches
    plain      a character and the plain one that it counts as inside sequences
    sequences  plain characters, two or more, and their replacement
    """

    singles: Mapping[str, str]
    plain: Mapping[str, str]
    sequences: Mapping[str, str]

    def __post_init__(self) -> None:
        for sequence in self.sequences:
            if len(sequence) < 2:
                raise ValueError(f"{quoted(sequence)} is one character: put its rule into singles")

    def match(self, text: str, start: int) -> tuple[int, str] | None:
        """Finds the longest rule at a position: the number of characters, and their replacement.

        Returns None if no rule matches and the character stays.
        """
        plain = self.plain
        spelled = ""
        best = None
        for place in range(start, min(start + self.longest, len(text))):
            character = text[place]
            spelled += plain.get(character, character)
            if spelled in self.sequences:
                best = (place + 1 - start, self.sequences[spelled])
            elif spelled not in self.beginnings:
                break
        if best is None and text[start] in self.singles:
            return 1, self.singles[text[start]]
        return best

    @functools.cached_property
    def longest(self) -> int:
        """The length of the longest sequence, in characters."""
        return max(map(len, self.sequences), default=1)

    @functools.cached_property
    def beginnings(self) -> frozenset[str]:
        """All proper prefixes of sequences."""
        return frozenset(s[:end] for s in self.sequences for end in range(1, len(s)))

    @functools.cached_property
    def touched(self) -> frozenset[str]:
        """The characters without which no rule changes a text.

        They are the characters with a rule of their own, and those that are second in a sequence.
        """
        seconds = {sequence[1] for sequence in self.sequences}
        alike = {c for c, stands_for in self.plain.items() if stands_for in seconds}
        return frozenset(self.singles) | seconds | alike


def decompose(character: str) -> str:
    """Returns the NFKD of a character, as Unicode 16 defines it."""
    if character in NEW_LOOK_ALIKES:
        return NEW_LOOK_ALIKES[character]
    parts = NEW_PARTS.get(character)
    if parts is not None:
        return decompose(parts[0]) + parts[1]
    return unicodedata.normalize("NFKD", character)


def compose(text: str) -> str:
    """Returns the NFC of a decomposed text, as Unicode 16 defines it."""
    composed = ""
    for character in unicodedata.normalize("NFC", text):
        joined = NEW_WHOLES.get(composed[-1:] + character)
        composed = composed[:-1] + joined if joined else composed + character
    return composed


NEW_WHOLES = {chr(a) + chr(b): chr(whole) for (a, b), whole in NEW_PAIRS.items()}
NEW_PARTS = {whole: pair for pair, whole in NEW_WHOLES.items()}


def decomposing_characters() -> Iterator[tuple[str, str]]:
    """Yields every character that differs from its NFKD, with the NFKD."""
    codes = [code for start, stop in INTERESTING for code in range(start, stop)]
    for character in map(chr, codes):
        parts = decompose(character)
        if parts != character:
            yield character, parts


def apply(rules: "CharacterRules", text: str) -> str:
    """Applies all rules to a text, from left to right."""
    pieces = []
    place = 0
    while place < len(text):
        taken, given = rules.match(text, place) or (1, text[place])
        pieces.append(given)
        place += taken
    return "".join(pieces)


@functools.lru_cache(maxsize=1)
def nmt_nfkc() -> CharacterRules:
    """Returns SentencePiece's nmt_nfkc; computes it once, in about a tenth of a second."""
    singles: dict[str, str] = {}
    plain: dict[str, str] = {}
    spellings: set[str] = set()
    for character, parts in decomposing_characters():
        whole = compose(parts)
        if whole != character:
            singles[character] = whole
        if len(parts) == 1:
            plain[character] = parts
        else:
            spellings.add(parts)
    sequences: dict[str, str] = {}
    for length in range(2, max(map(len, spellings)) + 1):
        # A sequence that shorter rules already bring to the same spelling needs no rule.
        shorter = CharacterRules(singles, plain, dict(sequences))
        for parts in spellings:
            whole = compose(parts)
            if len(parts) == length and whole != parts and apply(shorter, parts) != whole:
                sequences[parts] = whole
    singles |= dict.fromkeys(SPACES, " ") | dict.fromkeys(DROPPED, "")
    for character in KEPT:
        del singles[character]
    return CharacterRules(singles, plain, sequences)
