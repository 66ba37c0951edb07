"""How traces are told: the words and numbers of titles, a step's values, steps inside steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.numbers import THIN_SPACE, format_general, format_number, typeset
from core.trace import Step, Trace

SHOWN = 60  # characters of a text in a title
# White space as a sign: everywhere the same, whichever sign a vocabulary has for it.
SIGNS = str.maketrans({" ": "\u2423", "\n": "\u21b5", "\t": "\u21e5", "\r": "\u240d"})

CONTINUES = "##"  # before a piece of WordPiece that does not begin a word

Told = tuple[Step, Iterable[Step]]  # a step, and what happened inside it


# -- words and numbers ------------------------------------------------------------------------


def quoted(piece: str) -> str:
    """A piece between typographic quotation marks."""
    return f"“{piece}”"


def visible(text: str) -> str:
    """A text with its white space as signs: "␣the"."""
    return text.translate(SIGNS)


def quoted_piece(data: bytes) -> str:
    """A piece in a sentence, by its bytes: without the spaces around it, where more is there."""
    text = data.decode("utf-8", "replace")
    return quoted(text.strip() or visible(text))


def readable_text(data: bytes) -> str | None:
    """The text of a piece's bytes; None where they are no text, or nothing of it can be seen."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    seen = any(character.isprintable() or character in "\n\t\r" for character in text)
    return text if seen else None


def shown(piece: str, data: bytes) -> str:
    """A piece as people read it: "␣the" however its vocabulary spells the space, "##ing" as it is,
    "<E2 82>" for bytes that are no text. `data` is what it stands for.
    """
    if not data:
        return visible(piece)
    text = readable_text(data)
    if text is None:
        return f"<{data.hex(' ').upper()}>"
    goes_on = piece == CONTINUES + text
    return (CONTINUES if goes_on else "") + visible(text)


def shortened(text: str, most: int = SHOWN) -> str:
    """A long text's beginning, so many characters."""
    return text if len(text) <= most else f"{text[:most].rstrip()}…"


def count(number: int, what: str) -> str:
    """ "1 byte", "2 bytes"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def average(value: float, what: str) -> str:
    """ "1 byte", "2.62 bytes", of one thing on average."""
    said = format_number(value)
    return f"{said} {what}" if said == "1" else f"{said} {what}s"


def separate(number: int, what: str) -> str:
    """ "1 byte", "2 separate bytes"."""
    return count(number, what if number == 1 else f"separate {what}")


def sentence(words: str, *names: str) -> str:
    """With a capital letter, unless a name stands first."""
    given = tuple(filter(None, names))
    return words if given and words.startswith(given) else words[:1].upper() + words[1:]


def listed(names: Sequence[str]) -> str:
    """ "BPE", "BPE and Unigram", "BPE, Unigram and WordPiece"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def verb(number: int, one: str, many: str) -> str:
    """What so many things do: "1 piece stands", "2 pieces stand"."""
    return one if number == 1 else many


def percent(share: float) -> str:
    """ "100 %" is all of it, and never almost all."""
    if 0.99 <= share < 1:
        share = min(share, 0.999)
    digits = 1 if share < 0.1 or 0.99 <= share < 1 else 0
    return f"{100 * share:.{digits}f}{THIN_SPACE}%"


def share_said(share: float) -> str:
    """How much of a text, before "of the text": "all", or "4.4 %"."""
    return "all" if share >= 1 else percent(share)


def real(number: float, digits: int = 2) -> str:
    """A number with so many digits behind the point, and a minus that is no hyphen."""
    return typeset(f"{number:,.{digits}f}")


def plain(number: float) -> str:
    """A number with the digits that it needs."""
    return format_general(number)


# -- steps ------------------------------------------------------------------------------------


def arrays(named: Mapping[str, object]) -> dict[str, np.ndarray]:
    """A step's values: numbers, texts and lists of them as arrays."""
    return {name: np.asarray(value) for name, value in named.items()}


def trace_of(steps: Iterable[Step], about: Mapping[str, Any]) -> Trace:
    """The whole trace of some steps; `about` says what was traced."""
    return trace_of_told(((step, ()) for step in steps), about)


def trace_of_told(told: Iterable[Told], about: Mapping[str, Any]) -> Trace:
    """The whole trace of steps that others happened inside of."""
    trace = Trace(about)
    for step, inside in told:
        parent = trace.append(step)
        first = len(trace)
        for child in inside:
            above = parent if child.parent is None else first + child.parent
            trace.append(replace(child, parent=above))
    return trace.finish()


def refuse_longer(what: str, size: int, unit: str, most: int, how: str) -> None:
    """Raises ValueError for more than can be shown: "a word of 2,000 bytes ... merge by merge"."""
    if size > most:
        raise ValueError(
            f"a {what} of {size:,} {unit} is too long to be shown {how}: take one of at most "
            f"{most:,}"
        )
