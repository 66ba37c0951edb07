"""Source lines prepared for the code view: dedented, without markers, wrapped, colored by token."""

from __future__ import annotations

import io
import keyword
import re
import textwrap
import tokenize
from dataclasses import dataclass
from functools import lru_cache

_MARKER = re.compile(r"\s*# step: [\w.-]+\s*$")
_COMMENT_GAP = re.compile(r"(?<=\S) {3,}(?=# )")  # comments aligned for wide screens


@dataclass(frozen=True)
class Span:
    """Characters [start, end) of a line that share a role ("keyword", "comment", "q", ...)."""

    start: int
    end: int
    role: str


@dataclass(frozen=True)
class Row:
    """One row on screen: characters [start, end) of line `line`, `indent` characters in."""

    line: int
    start: int
    end: int
    indent: int


def clean(lines: tuple[str, ...] | list[str]) -> list[str]:
    """Returns the lines dedented, without `# step:` markers and without gaps before comments."""
    bare = (_COMMENT_GAP.sub("  ", _MARKER.sub("", line)) for line in lines)
    text = textwrap.dedent("\n".join(bare))
    return text.split("\n")


@lru_cache(maxsize=64)
def read(lines: tuple[str, ...]) -> tuple[list[str], list[list[Span]]]:
    """Returns `clean` lines and their `spans`, cached: playback returns to the same functions."""
    cleaned = clean(lines)
    return cleaned, spans(cleaned)


def spans(lines: list[str]) -> list[list[Span]]:
    """Returns the colored spans of each line; none for text that is not Python."""
    found: list[list[Span]] = [[] for _ in lines]
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            role = _role(token)
            if role:
                _add(found, lines, token, role)
    except (tokenize.TokenError, SyntaxError):
        pass  # an excerpt may end inside a bracket: the spans found so far stay
    return found


def _role(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.COMMENT:
        return "comment"
    if token.type == tokenize.STRING:
        return "comment" if token.string.lstrip("rbfRBF").startswith('"""') else "string"
    if token.type == tokenize.NUMBER:
        return "number"
    if token.type == tokenize.NAME:
        if keyword.iskeyword(token.string):
            return "keyword"
        return {"q": "q", "k": "k", "v": "v", "weights": "attention"}.get(token.string, "")
    return ""


def _add(found: list[list[Span]], lines: list[str], token: tokenize.TokenInfo, role: str) -> None:
    (first, start), (last, end) = token.start, token.end
    for number in range(first, last + 1):
        if number - 1 < len(lines):
            left = start if number == first else 0
            right = end if number == last else len(lines[number - 1])
            found[number - 1].append(Span(left, right, role))


def wrap(lines: list[str], columns: int) -> list[Row]:
    """Wraps lines to rows of at most `columns` characters, indenting continuations 4 further."""
    rows: list[Row] = []
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        hang = min(indent + 4, max(0, columns - 12))
        start, left = 0, 0
        while True:
            room = max(8, columns - left)
            if len(line) - start <= room:
                rows.append(Row(number, start, len(line), left))
                break
            cut = line.rfind(" ", start + 1, start + room + 1)
            if cut <= start + (indent if start == 0 else 0):
                cut = start + room
            rows.append(Row(number, start, cut, left))
            start = cut
            while start < len(line) and line[start] == " ":
                start += 1
            left = hang
    return rows
