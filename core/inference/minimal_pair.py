"""A second text that differs as little as possible from a first one: any change in a model between
the two is due to that difference.

Sources: minimal pairs, Warstadt et al. 2020, "BLiMP"; a prompt with one name exchanged, Meng et al.
2022, "Locating and Editing Factual Associations in GPT", section 2.1.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.tokenization import Tokenizer

OTHER_WORDS = ("Tom", "Lily", "Ben", "Max", "dog", "cat", "big", "blue")
MOST_TRIED = 60  # texts to encode


def minimal_pair(tokenizer: Tokenizer, text: str) -> str:
    """Returns the text with another word in place of the first repeated one, or of the last word if
    none is repeated; else with another letter. It has as many tokens if possible; a text in which
    nothing can be replaced is returned unchanged.
    """
    tokens, found = _token_count(tokenizer, text), ""
    for candidate in islice(_candidates(text), MOST_TRIED):
        count = _token_count(tokenizer, candidate)
        if count == tokens and candidate != text:
            return candidate
        found = found or (candidate if count else "")
    return found or text


def _candidates(text: str) -> Iterator[str]:
    """Yields the text with one of OTHER_WORDS, or of its own words, in a word's place; then with
    another of its own letters in place of that word's first repeated one.
    """
    words = list(re.finditer(r"\w+", text))
    if not words:
        return
    spelled = Counter(word.group() for word in words)
    repeated = [word for word in words if len(word.group()) > 2 and spelled[word.group()] > 1]
    changed = repeated[0] if repeated else words[-1]
    word, upper = changed.group(), changed.group()[0].isupper()
    for other in (*OTHER_WORDS, *spelled):
        if other != word and other[0].isupper() == upper and len(words) > 1:
            yield text[: changed.start()] + other + text[changed.end() :]
    place = next((at for at, letter in enumerate(word) if text.count(letter) > 1), 0)
    place += changed.start()
    for letter in dict.fromkeys("".join(spelled)):
        yield text[:place] + letter + text[place + 1 :]


def _token_count(tokenizer: Tokenizer, text: str) -> int:
    """Returns the number of tokens, or 0 if the tokenizer lacks some of the letters."""
    try:
        return len(tokenizer.encode(text).ids)
    except ValueError:
        return 0
