r"""Text as bytes, and bytes as printable characters: GPT-2's two ideas.

Every text is a sequence of UTF-8 bytes, so 256 symbols are enough for all of Unicode and no text is
ever unknown. To print pieces, each byte gets a visible character: a space becomes "Ġ", a newline
"Ċ". Before any merge, the text is split into words (see patterns).

Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.2.
"""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from core.files import quoted
from core.tokenization.telling import shown


def byte_characters() -> list[str]:
    """Returns the character that represents each of the 256 bytes, indexed by the byte.

    Bytes whose Latin-1 character is visible represent themselves; the other 68, in increasing
    order, get U+0100, U+0101 and so on.
    """
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in visible]
    return [
        chr(byte) if byte in visible else chr(0x100 + hidden.index(byte)) for byte in range(256)
    ]


CHARACTER_OF_BYTE = byte_characters()
BYTE_OF_CHARACTER = {character: byte for byte, character in enumerate(CHARACTER_OF_BYTE)}
ALPHABET = sorted(CHARACTER_OF_BYTE)


def to_characters(data: bytes) -> str:
    """Returns bytes as text, one visible character for each: b" the" becomes "Ġthe"."""
    return "".join([CHARACTER_OF_BYTE[byte] for byte in data])


def to_bytes(piece: str) -> bytes:
    """Returns the bytes that a piece represents: "Ġthe" is b" the".

    Raises ValueError for a character that represents no byte.
    """
    try:
        return bytes([BYTE_OF_CHARACTER[character] for character in piece])
    except KeyError as error:
        raise ValueError(
            f"the piece {quoted(piece)} holds {error.args[0]!r}, which stands for no byte: "
            "this is not a byte-level vocabulary; choose another file"
        ) from None


def readable(piece: str) -> str:
    """Returns a piece in readable form: "Ġthe" as "␣the", part of a character as "<E2 82>".

    A piece that is not spelled with byte characters, such as a special token, is unchanged.
    """
    if any(character not in BYTE_OF_CHARACTER for character in piece):
        return piece
    return shown(piece, to_bytes(piece)) if piece else ""


def clean_text(text: str) -> str:
    """Replaces every lone surrogate in a text by U+FFFD, as Unicode decoders do.

    Half of a surrogate pair is not a character and has no UTF-8 bytes, but a Python string can
    contain one, for example from a broken file name or the clipboard.

    Raises ValueError for anything but a string.
    """
    if not isinstance(text, str):
        what = "decode it first, with .decode()" if isinstance(text, bytes) else "give a string"
        raise ValueError(f"the text is {quoted(text)}: {what}")
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def byte_places(text: str) -> Sequence[int]:
    """Returns the offset of each of the n characters in the text's UTF-8 bytes, then their total.

    These are n + 1 numbers; the text must contain no lone surrogates (see clean_text).
    """
    if text.isascii():
        return range(len(text) + 1)
    points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    widths = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
    return [0, *accumulate(widths.tolist())]
