"""Reads a text of any size in chunks whose tokens, joined, are the tokens of the whole text."""

import codecs
from collections.abc import Iterator
from pathlib import Path

import regex

from core.files import open_to_read

READ_BYTES = 1 << 16
CHUNK_CHARACTERS = 1 << 14
LONGEST_WORD = 1 << 20

# GPT-2's word pattern ends a word at all of these positions, whatever precedes or follows: where
# white space begins, and where a run of letters or of digits ends.
_CUT = regex.compile(r"(?<=\S)(?=\s)|(?<=\p{L})(?=\P{L})|(?<=\p{N})(?=\P{N})")


def read_characters(path: Path) -> Iterator[tuple[str, int]]:
    """Yields (characters, bytes read so far) of a UTF-8 file, without a byte order mark.

    Raises ValueError that names the position of the first byte that is not text.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    done = 0
    first = True
    with open_to_read(path) as file:
        while True:
            data = file.read(READ_BYTES)
            pending = len(decoder.getstate()[0])
            zero = data.find(b"\0")
            if zero >= 0:
                raise ValueError(_not_text(path, done + zero, "a zero byte"))
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                place = done - pending + error.start
                raise ValueError(_not_text(path, place, "no valid UTF-8")) from None
            done += len(data)
            if first and text:
                text = text.removeprefix("\ufeff")
                first = False
            if not data:
                if text:
                    yield text, done
                return
            yield text, done


def _not_text(path: Path, place: int, what: str) -> str:
    return (
        f"{path.name} is not a UTF-8 text: at byte {place:,} there is {what}. "
        "Choose a text file, or save it again as UTF-8"
    )


def last_cut(text: str, specials: list[str], anywhere: bool) -> int:
    """Returns the last position to cut `text`, which continues, without changing a token, or 0.

    anywhere   the tokenizer reads single characters, so only special tokens must stay whole
    """
    longest = max((len(special) for special in specials), default=1)
    end = len(text) - longest  # further right, a special token may be incomplete
    if anywhere:
        places: Iterator[int] = iter(range(end, max(0, end - longest - 1), -1))
    else:
        places = (match.start() for match in _backwards(text, end))
    for place in places:
        if not any(_straddles(text, place, special) for special in specials):
            return place
    return 0


def _backwards(text: str, end: int) -> "Iterator[regex.Match[str]]":
    """Yields cuts from right to left, searched for in growing parts of the text."""
    stop, size = end, 1 << 10
    while stop > 0:
        start = max(0, stop - size)
        yield from reversed(list(_CUT.finditer(text, max(1, start), stop + 1)))
        stop, size = start - 1, size * 4


def _straddles(text: str, place: int, special: str) -> bool:
    return special in text[max(0, place - len(special) + 1) : place + len(special) - 1]


def safe_chunks(
    pieces: Iterator[str], specials: list[str], anywhere: bool, size: int = CHUNK_CHARACTERS
) -> Iterator[str]:
    """Yields the joined pieces in chunks of about `size` characters, cut only at safe positions.

    Raises ValueError for a word of more than a million characters.
    """
    text = ""
    wanted = size
    for piece in pieces:
        text += piece
        while len(text) >= wanted:
            # Search about one chunk, together with the text that follows it.
            place = last_cut(text[:wanted], specials, anywhere)
            if place > 0:
                yield text[:place]
                text, wanted = text[place:], size
            elif wanted < LONGEST_WORD:
                wanted *= 2
            else:
                raise ValueError(
                    f"the text holds a word of more than {LONGEST_WORD:,} characters: break it "
                    "into lines, or use the character tokenizer"
                )
    if text:
        yield text
