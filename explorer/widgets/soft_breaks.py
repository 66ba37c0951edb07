"""Breaks in long lines that are none of the text's: what keeps an editor fast.

Qt lays out a whole paragraph anew at every key: one line of a megabyte costs a third of a second a
key, and half a minute where it has no space. So a paragraph that is too long is cut into several;
where it was cut it ends with SOFT, three characters that no font draws. Leaving out SOFT and the
break behind it gives the text back, whatever was typed, deleted or undone meanwhile.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise

PARAGRAPH = "\u2029"  # how Qt writes the end of a paragraph
SOFT = "\u2064\u2062\u2064"  # invisible plus and times: default ignorable, and no text's own
PIECE = 2000  # characters of a paragraph after which it is cut
LONGEST = 2 * PIECE  # a paragraph of more is cut


def softened(text: str) -> str:
    """The text with long lines cut; as it is where it holds SOFT itself."""
    if len(text) <= LONGEST or SOFT in text:
        return text
    return "\n".join([_cut(line) for line in text.split("\n")])


def plain(shown: str) -> str:
    """What a person wrote, from the paragraphs of a document."""
    if SOFT in shown:
        shown = shown.replace(SOFT + PARAGRAPH, "").replace(SOFT, "")
    return shown.replace(PARAGRAPH, "\n")


def cuts(line: str) -> list[int]:
    """Where a long line is cut: behind a space where there is one, never before a mark."""
    places = []
    at = 0
    while len(line) - at > LONGEST:
        space = line.find(" ", at + PIECE, at + LONGEST - 100)
        at = space + 1 if space >= 0 else at + PIECE
        least = at - 50
        while at > least and unicodedata.combining(line[at]):
            at -= 1
        places.append(at)
    return places


def _cut(line: str) -> str:
    places = cuts(line)
    if not places:
        return line
    edges = [0, *places, len(line)]
    parts = [line[low:high] for low, high in pairwise(edges)]
    return (SOFT + "\n").join(parts)
