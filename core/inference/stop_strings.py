"""Stop strings: a text ends once one of them has been written, however it lies in the tokens.

    " kite" "."        one token is the string "."
    ".\n" "\nTom"      "\n\n" begins within one token and ends within the next
    "\xc3" "\xa9t"     of "\u00e9" each token has one byte

So they are searched for in the bytes that tokens stand for.
"""

from __future__ import annotations

from collections.abc import Collection

from core.files import quoted
from core.tokenization import Tokenizer


def check_stop_strings(
    stop_strings: str | Collection[str], tokenizer: Tokenizer | None
) -> tuple[str, ...]:
    """All of them. Raises ValueError, with the remedy, for one that is empty or no text, and where
    there is no tokenizer to tell what tokens say.
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
    """What a token says; nothing where the model has more tokens than the tokenizer."""
    return tokenizer.piece_bytes(token) if token < tokenizer.vocab_size else b""


def first_stop(written: bytes, stop_strings: Collection[str]) -> str | None:
    """That of the strings which stands first in a text, given in UTF-8; None where none does."""
    found = [(written.find(one.encode("utf-8", "surrogatepass")), one) for one in stop_strings]
    return min([(place, one) for place, one in found if place >= 0], default=(0, None))[1]


def cut_at_stop(text: str, stop_strings: str | Collection[str]) -> str:
    """What stands in a text before the first of the strings; all of it where none is there."""
    given = (stop_strings,) if isinstance(stop_strings, str) else stop_strings
    stop = first_stop(text.encode("utf-8", "surrogatepass"), given)
    return text if stop is None else text.partition(stop)[0]
