"""Sorts the files dropped on the pane into tokenizers and texts.

No Qt here; files are read in the I/O pool.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

LARGEST = 16 * 2**20  # bytes of a text that are read
# Byte order marks, which identify an encoding; the longer ones first.
MARKS = (
    ((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE), "utf-32"),
    ((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-16"),
)


@dataclass
class Dropped:
    """tokenizers  paths
    texts       (path, text)
    errors      the reasons why files are neither, with the remedy
    notes       how a text that is not UTF-8 was decoded, by its path
    """

    tokenizers: list[str] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)


def look_at_files(paths: Sequence[str]) -> Dropped:
    """Tells tokenizers from texts by their content. An empty file is an empty text; a folder with a
    tokenizer.json counts as that file, which may be among the paths, too.
    """
    from core.tokenization.opening import is_tokenizer

    found = Dropped()
    for path in paths:
        try:
            empty = Path(path).is_file() and not Path(path).stat().st_size
            if not empty and is_tokenizer(Path(path)):  # raises if it is neither
                inner = Path(path) / "tokenizer.json"
                file = str(inner) if inner.is_file() else path
                if file not in found.tokenizers:
                    found.tokenizers.append(file)
            else:
                text, note = read_text(Path(path))
                found.texts.append((path, text))
                if note:
                    found.notes[path] = f"{Path(path).name} {note}"
        except (OSError, ValueError) as error:
            found.errors.append(str(error))
    return found


def read_text(path: Path) -> tuple[str, str]:
    """Returns the beginning of a text file, and a note on its decoding, "" for plain UTF-8. Reads
    UTF-16 and UTF-32 with a byte order mark, and cp1252. Invalid bytes become U+FFFD.
    """
    from core.files import open_to_read

    with open_to_read(path) as file:
        data = file.read(LARGEST)
    whole = len(data) < LARGEST  # else it may end inside a character
    for marks, encoding in MARKS:
        if data.startswith(marks):
            note = f"was read as {encoding.upper()}, as its byte order mark says"
            return _decode(data, encoding, whole), note
    text = _decode(data, "utf-8-sig", whole)
    written = data.count("\ufffd".encode())  # U+FFFD in the file itself
    faults = text.count("\ufffd") - written
    if faults:
        letters = sum(character > "\x7f" for character in text) - faults - written
        if faults > letters:  # a damaged UTF-8 text has more letters than faults
            note = "is not UTF-8; as a guess, it was read as cp1252, the Latin alphabet of Windows"
            return _decode(data, "cp1252", whole), note
    if not faults:
        return text, ""
    places = "place" if faults == 1 else "places"
    return text, f"is UTF-8, except in {faults:,} {places}, shown as \ufffd"


def _decode(data: bytes, encoding: str, whole: bool) -> str:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    return decoder.decode(data, final=whole).replace("\r\n", "\n")
