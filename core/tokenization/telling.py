"""The wording of traces: words and numbers in titles, the values of a step, nested steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core.numbers import THIN_SPACE, format_general, format_number, typeset
from core.trace import Step, Trace

SHOWN = 60  # longest text in a title, in characters
# Visible signs for white space, the same for all vocabularies.
SIGNS = str.maketrans({" ": "\u2423", "\n": "\u21b5", "\t": "\u21e5", "\r": "\u240d"})

CONTINUES = "##"  # marks a WordPiece piece that continues a word

Told = tuple[Step, Iterable[Step]]  # a step, and the steps inside it


# -- words and numbers ------------------------------------------------------------------------


def quoted(piece: str) -> str:
    """Returns a piece in typographic quotation marks."""
    return f"“{piece}”"


def visible(text: str) -> str:
    """Replaces white space in a text by visible signs: "␣the"."""
    return text.translate(SIGNS)


def quoted_piece(data: bytes) -> str:
    """Quotes a piece, given its bytes, without the spaces around it unless it is only spaces."""
    text = data.decode("utf-8", "replace")
    return quoted(text.strip() or visible(text))


def readable_text(data: bytes) -> str | None:
    """Returns the bytes of a piece as text, or None if they are not UTF-8 or not visible."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    seen = any(character.isprintable() or character in "\n\t\r" for character in text)
    return text if seen else None


def shown(piece: str, data: bytes) -> str:
    """Returns a piece in readable form: "␣the" for any vocabulary's spelling of the space, "##ing"
    unchanged, "<E2 82>" for bytes that are not UTF-8. `data` is the bytes it represents.
    """
    if not data:
        return visible(piece)
    text = readable_text(data)
    if text is None:
        return f"<{data.hex(' ').upper()}>"
    goes_on = piece == CONTINUES + text
    return (CONTINUES if goes_on else "") + visible(text)


def shortened(text: str, most: int = SHOWN) -> str:
    """Returns a text, cut after `most` characters and with an ellipsis if it is longer."""
    return text if len(text) <= most else f"{text[:most].rstrip()}…"


def count(number: int, what: str) -> str:
    """ "1 byte", "2 bytes"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def average(value: float, what: str) -> str:
    """ "1 byte", "2.62 bytes": an average with its unit."""
    said = format_number(value)
    return f"{said} {what}" if said == "1" else f"{said} {what}s"


def separate(number: int, what: str) -> str:
    """ "1 byte", "2 separate bytes"."""
    return count(number, what if number == 1 else f"separate {what}")


def sentence(words: str, *names: str) -> str:
    """Capitalizes the first letter, unless the sentence begins with one of the names."""
    given = tuple(filter(None, names))
    return words if given and words.startswith(given) else words[:1].upper() + words[1:]


def listed(names: Sequence[str]) -> str:
    """ "BPE", "BPE and Unigram", "BPE, Unigram and WordPiece"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def verb(number: int, one: str, many: str) -> str:
    """Chooses the verb form for a number: "1 piece is", "2 pieces are"."""
    return one if number == 1 else many


def percent(share: float) -> str:
    """ "4.4 %"; only the whole is "100 %", never a rounded share."""
    if 0.99 <= share < 1:
        share = min(share, 0.999)
    digits = 1 if share < 0.1 or 0.99 <= share < 1 else 0
    return f"{100 * share:.{digits}f}{THIN_SPACE}%"


def share_said(share: float) -> str:
    """A share of a text, before "of the text": "all", or "4.4 %"."""
    return "all" if share >= 1 else percent(share)


def real(number: float, digits: int = 2) -> str:
    """Formats a number with a fixed number of decimals, and a minus sign instead of a hyphen."""
    return typeset(f"{number:,.{digits}f}")


def plain(number: float) -> str:
    """Formats a number with as many digits as it needs."""
    return format_general(number)


# -- steps ------------------------------------------------------------------------------------


def arrays(named: Mapping[str, object]) -> dict[str, np.ndarray]:
    """Returns a step's values as arrays: numbers, texts and lists of them."""
    return {name: np.asarray(value) for name, value in named.items()}


def trace_of(steps: Iterable[Step], about: Mapping[str, Any]) -> Trace:
    """Returns a finished trace of steps; `about` describes what was traced."""
    return trace_of_told(((step, ()) for step in steps), about)


def trace_of_told(told: Iterable[Told], about: Mapping[str, Any]) -> Trace:
    """Returns a finished trace of steps, each with the steps inside it."""
    trace = Trace(about)
    for step, inside in told:
        parent = trace.append(step)
        first = len(trace)
        for child in inside:
            above = parent if child.parent is None else first + child.parent
            trace.append(replace(child, parent=above))
    return trace.finish()


def refuse_longer(what: str, size: int, unit: str, most: int, how: str) -> None:
    """Raises ValueError if something is too long to show: "a word of 2,000 bytes ..."."""
    if size > most:
        raise ValueError(
            f"a {what} of {size:,} {unit} is too long to be shown {how}: take one of at most "
            f"{most:,}"
        )
