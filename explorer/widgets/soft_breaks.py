"""Breaks in long lines that are not part of the text, which keep an editor fast.

Qt lays out a whole paragraph anew at every keystroke: one line of a megabyte takes a third of a
second per keystroke, and half a minute if it has no space. So a paragraph that is too long is cut
into several, and each cut ends with SOFT, three characters that no font draws. Removing SOFT and
the break after it restores the text, whatever was typed, deleted or undone meanwhile.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise

PARAGRAPH = "\u2029"  # Qt's end of a paragraph
SOFT = "\u2064\u2062\u2064"  # invisible plus and times: default ignorable, and never in a real text
PIECE = 2000  # characters of a paragraph after which it is cut
LONGEST = 2 * PIECE  # a longer paragraph is cut


def softened(text: str) -> str:
    """Cuts the long lines of a text, unless it contains SOFT itself."""
    if len(text) <= LONGEST or SOFT in text:
        return text
    return "\n".join([_cut(line) for line in text.split("\n")])


def plain(shown: str) -> str:
    """Returns the user's text from the paragraphs of a document."""
    if SOFT in shown:
        shown = shown.replace(SOFT + PARAGRAPH, "").replace(SOFT, "")
    return shown.replace(PARAGRAPH, "\n")


def cuts(line: str) -> list[int]:
    """Returns the cuts of a long line: after a space if possible, never before a combining mark."""
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
