"""One spelling for each letter: Unicode's composed form, NFC, and where its bytes came from.

"é" is one character, or an "e" with an accent behind it. The two look alike and have other bytes,
so GPT-2 sees two words; Qwen brings every text to the first spelling before it cuts it.

Source: Unicode Standard Annex 15; the tokenizer's code that comes with Qwen-7B.
"""

import unicodedata
from collections.abc import Iterator

import regex

NORMALIZERS = ("nfc",)
_LETTER = regex.compile(r"\X")  # with all its marks; nothing is composed across two of them


def compose(text: str) -> str:
    """The text in NFC."""
    return unicodedata.normalize("NFC", text)


def byte_sources(text: str) -> Iterator[int]:
    """For each byte of compose(text) the byte of the text that it came from, never falling.

    Where a letter was composed, its bytes come from its first ones in the text.
    """
    start = 0
    for letter in _LETTER.findall(text):
        size = len(letter.encode())
        composed = compose(letter)
        for place in range(len(composed.encode())):
            yield start + min(place, size - 1)
        start += size
