"""Stop strings: a text ends once one of them has been generated, regardless of token boundaries.

    " kite" "."        one token is the string "."
    ".\n" "\nTom"      "\n\n" begins within one token and ends within the next
    "\xc3" "\xa9t"     of "\u00e9" each token has one byte

So the search runs over the bytes of the tokens.
"""

from __future__ import annotations

from collections.abc import Collection

from core.files import quoted
from core.tokenization import Tokenizer


def check_stop_strings(
    stop_strings: str | Collection[str], tokenizer: Tokenizer | None
) -> tuple[str, ...]:
    """Returns all of them. Raises ValueError, with a remedy, for one that is empty or not a string,
    and if there is no tokenizer to decode tokens.
    """
    given = (stop_strings,) if isinstance(stop_strings, str) else tuple(stop_strings)
    for one in given:
        if not isinstance(one, str) or not one:
            raise ValueError(
                f"stop_strings holds {quoted(one)}; give texts of one character or more, such as "
                "'.', and tokens by their ids as stop"
            )
    if given and tokenizer is None:
        raise ValueError("stop_strings are searched for in what tokens say: give tokenizer=, too")
    return given


def bytes_of(token: int, tokenizer: Tokenizer) -> bytes:
    """Returns the bytes of a token; empty if the model has more tokens than the tokenizer."""
    return tokenizer.piece_bytes(token) if token < tokenizer.vocab_size else b""


def first_stop(written: bytes, stop_strings: Collection[str]) -> str | None:
    """Returns the stop string that occurs first in a text in UTF-8, or None if there is none."""
    found = [(written.find(one.encode("utf-8", "surrogatepass")), one) for one in stop_strings]
    return min([(place, one) for place, one in found if place >= 0], default=(0, None))[1]


def cut_at_stop(text: str, stop_strings: str | Collection[str]) -> str:
    """Returns the text before the first stop string, or all of it if there is none."""
    given = (stop_strings,) if isinstance(stop_strings, str) else stop_strings
    stop = first_stop(text.encode("utf-8", "surrogatepass"), given)
    return text if stop is None else text.partition(stop)[0]
