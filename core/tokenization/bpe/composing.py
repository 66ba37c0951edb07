"""One spelling for each letter: Unicode's composed form, NFC, with the source of each byte.

"é" is one character, or an "e" followed by an accent. The two look alike but have different bytes,
so GPT-2 sees two different words; Qwen converts every text to the first spelling before splitting
it into words.

Source: Unicode Standard Annex 15; the tokenizer's code that comes with Qwen-7B.
"""

import unicodedata
from collections.abc import Iterator

import regex

NORMALIZERS = ("nfc",)
_LETTER = regex.compile(r"\X")  # a letter with all its marks; composition never crosses two of them


def compose(text: str) -> str:
    """Returns the text in NFC."""
    return unicodedata.normalize("NFC", text)


def byte_sources(text: str) -> Iterator[int]:
    """Yields, for each byte of compose(text), the index of its source byte, never decreasing.

    The bytes of a composed letter come from the first bytes of its original spelling.
    """
    start = 0
    for letter in _LETTER.findall(text):
        size = len(letter.encode())
        composed = compose(letter)
        for place in range(len(composed.encode())):
            yield start + min(place, size - 1)
        start += size
