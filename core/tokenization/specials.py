"""Special tokens: strings with one id each that are never split or merged."""

from collections.abc import Callable, Iterator, Mapping

import regex

from core.files import quoted
from core.tokenization.byte_level import clean_text

Span = tuple[int, int]

END_OF_TEXT = "<|endoftext|>"


class SpecialTokens:
    """Finds special tokens in a text: the leftmost first; at the same position, the longest."""

    def __init__(self, ids: Mapping[str, int]) -> None:
        if "" in ids:
            raise ValueError("a special token is empty: remove it, or give it a name")
        for token in ids:
            if clean_text(token) != token:
                raise ValueError(
                    f"the special token {quoted(token)} holds a lone surrogate: rename it"
                )
        self.ids = dict(ids)
        longest_first = sorted(self.ids, key=lambda token: (-len(token), token))
        alternatives = "|".join(regex.escape(token) for token in longest_first)
        self._pattern = regex.compile(alternatives) if alternatives else None

    def split(self, text: str, find: bool = True) -> Iterator[tuple[str, int | None]]:
        """Yields (part, id); the id is None for the ordinary text between special tokens.

        With find=False, the whole text is ordinary.
        """
        if self._pattern is None or not find:
            yield text, None
            return
        end = 0
        for match in self._pattern.finditer(text):
            if match.start() > end:
                yield text[end : match.start()], None
            yield match.group(), self.ids[match.group()]
            end = match.end()
        if end < len(text):
            yield text[end:], None

    def places(self, text: str, find: bool = True) -> Iterator[tuple[str, int | None, Span]]:
        """Yields the parts of `split`, each with its span in the UTF-8 bytes of the text."""
        end = 0
        for part, special in self.split(text, find):
            start, end = end, end + len(part.encode())
            yield part, special, (start, end)

    def encode(
        self, text: str, encode_ordinary: Callable[[str], list[int]], find: bool = True
    ) -> list[int]:
        """Returns the ids of a text: those of its special tokens and of the text between them."""
        if not find:
            return encode_ordinary(text)
        ids: list[int] = []
        for part, special in self.split(text):
            if special is None:
                ids += encode_ordinary(part)
            else:
                ids.append(special)  # step: special
        return ids
