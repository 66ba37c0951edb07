"""Reads and writes the table of character rules inside a SentencePiece model.

It is a double array that maps the bytes of a character sequence to a number, followed by the
replacement strings, each with a zero byte at its end; the number is the offset of a string.

Source: SentencePiece's doc/normalization and the layout of its `precompiled_charsmap`.
"""

import functools
import struct
from collections.abc import Iterator

import numpy as np

from core.files import GET_AGAIN
from core.tokenization.formats.sentencepiece.double_array import DoubleArray, Tree, pack
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.rules import CharacterRules, nmt_nfkc

MAX_UNITS = 1 << 20  # the largest known table has 60,000
REMEMBERED = 1 << 17  # cached transitions between nodes, about 20 MB
LONGEST = 256  # bytes of a replacement; NFKC's longest has 33
MAX_STEPS = 1 << 19  # nodes visited to find the characters that have rules


class CharsMap:
    """The rules in a table; matched character by character, the longest first.

    Raises ValueError, with a remedy, for a damaged table.
    """

    def __init__(self, table: bytes, name: str = "the table of character rules") -> None:
        self._name = name
        self.table = table
        if len(table) < 4:
            raise self._broken("is cut off")
        size = struct.unpack_from("<I", table)[0]
        if size % 4 or not 0 < size < len(table) - 4 or size > 4 * MAX_UNITS:
            raise self._broken("says a size that it does not have")
        self._trie = DoubleArray(np.frombuffer(table, dtype="<u4", count=size // 4, offset=4))
        self._strings = table[4 + size :]
        self._next: dict[tuple[int, str], int | None] = {}
        self._given: dict[int, str | None] = {}
        self._steps = 0
        self.touched = self._find_touched()

    def _broken(self, what: str) -> ValueError:
        return ValueError(f"{self._name} {what}: {GET_AGAIN}")

    def match(self, text: str, start: int) -> tuple[int, str] | None:
        """Finds the longest rule at a position: the number of characters, and their replacement."""
        node = 0
        best = None
        for place in range(start, len(text)):
            following = self._follow(node, text[place])
            if following is None:
                break
            node = following
            given = self._replacement(node)
            if given is not None:
                best = (place + 1 - start, given)
        return best

    def _follow(self, node: int, character: str) -> int | None:
        key = (node, character)
        if key not in self._next:
            if len(self._next) > REMEMBERED:
                self._next = {}
            self._next[key] = self._trie.walk(node, character.encode())
        return self._next[key]

    def _replacement(self, node: int) -> str | None:
        if node not in self._given:
            self._given[node] = self._read(self._trie.value(node))
        return self._given[node]

    def _read(self, start: int | None) -> str | None:
        if start is None:
            return None
        end = self._strings.find(b"\0", start)
        if end < 0:
            raise self._broken("points to a string that is not there")
        if end - start > LONGEST:
            raise self._broken(f"makes {end - start:,} bytes of a character")
        try:
            return self._strings[start:end].decode()
        except UnicodeDecodeError:
            raise self._broken("holds a string that is no text") from None

    def _find_touched(self) -> frozenset[str]:
        """Returns the characters with rules of their own, and those second in a sequence."""
        touched: set[str] = set()
        seen: set[int] = set()
        for character, node in self._characters(0):
            if self._replacement(node) is not None:
                touched.add(character)
            if node not in seen:
                seen.add(node)
                touched.update(second for second, _ in self._characters(node))
        return frozenset(touched)

    def _characters(self, node: int) -> Iterator[tuple[str, int]]:
        """Yields the characters that continue from a node, and the nodes they lead to."""
        waiting = [(node, b"")]
        while waiting:
            node, data = waiting.pop()
            for byte, child in self._trie.children(node):
                self._steps += 1
                if self._steps > MAX_STEPS:
                    raise self._broken("has far more rules than there are characters")
                spelled = data + bytes([byte])
                try:
                    yield spelled.decode(), child
                except UnicodeDecodeError:
                    if len(spelled) < 4:
                        waiting.append((child, spelled))


def write_charsmap(rules: CharacterRules) -> bytes:
    """Returns the table of these rules, in the format of a SentencePiece model."""
    results = sorted({*rules.singles.values(), *rules.sequences.values()})
    starts: dict[str, int] = {}
    strings = bytearray()
    for result in results:
        starts[result] = len(strings)
        strings += result.encode() + b"\0"
    alike: dict[str, list[str]] = {}
    for character, plain in rules.plain.items():
        alike.setdefault(plain, [plain]).append(character)
    following: dict[str, list[str]] = {}
    for beginning in {*rules.beginnings, *rules.sequences}:
        following.setdefault(beginning[:-1], []).append(beginning)

    tree = Tree()
    after: dict[str, dict[bytes, int]] = {}

    def going_on(beginning: str) -> dict[bytes, int]:
        """Returns the characters that may follow, in UTF-8, and their nodes."""
        if beginning not in after:
            after[beginning] = found = {}
            for longer in following.get(beginning, ()):
                result = rules.sequences.get(longer) if len(longer) > 1 else None
                value = starts[result] if result is not None else None
                node = tree.branch(value, going_on(longer))
                for character in alike.get(longer[-1], longer[-1]):
                    found[character.encode()] = node
        return after[beginning]

    first = dict(going_on(""))
    for character, result in rules.singles.items():
        plain = rules.plain.get(character, character)
        rest = going_on(plain) if plain in following else {}
        first[character.encode()] = tree.branch(starts[result], rest)
    units = pack(tree, tree.branch(None, first))
    return struct.pack("<I", 4 * len(units)) + units.astype("<u4").tobytes() + bytes(strings)


@functools.lru_cache(maxsize=1)
def nmt_nfkc_table() -> bytes:
    """Returns the table of nmt_nfkc; builds it once, in about a second."""
    return write_charsmap(nmt_nfkc())


def table_of(normalizer: SentencePieceNormalizer) -> bytes:
    """Returns the normalizer's character rules as a table, empty for identity.

    Raises ValueError for rules that are neither ours nor from a file.
    """
    rules = normalizer.rules
    if rules is None:
        return b""
    if isinstance(rules, CharsMap):
        return rules.table
    if isinstance(rules, CharacterRules):
        return nmt_nfkc_table() if rules is nmt_nfkc() else write_charsmap(rules)
    raise ValueError("these character rules cannot be written: use CharacterRules or CharsMap")
