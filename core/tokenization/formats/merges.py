"""vocab.json with merges.txt: the two files of GPT-2, RoBERTa, Qwen 2 and others.

vocab.json maps pieces, spelled with byte characters, to ids; merges.txt has two pieces per line, in
the order in which they were learned. GPT-2's authors called them encoder.json and vocab.bpe. The
word pattern is guessed from the pieces; a piece that no merge produces is a special token.
"""

from pathlib import Path
from typing import Any

from core.files import GET_AGAIN
from core.tokenization.byte_level import ALPHABET, to_bytes
from core.tokenization.formats.documents import tokenizer_from_document
from core.tokenization.formats.pieces import guess_pattern, unmade_pieces
from core.tokenization.formats.reading import read_bounded_json, read_lines
from core.tokenization.formats.tokenizer_json import byte_level_document
from core.tokenization.tokenizer import Tokenizer

# vocabulary -> merges: the usual names in one folder
PAIRS = {"vocab.json": "merges.txt", "encoder.json": "vocab.bpe"}


def read_vocabulary_and_merges(path: Path) -> Tokenizer:
    """Opens the pair by either of its files; the other must be in the same folder.

    Raises ValueError, with a remedy, if the other is missing or the two do not fit.
    """
    vocabulary_path, merges_path = _pair(path)
    vocabulary = read_bounded_json(vocabulary_path)
    if not is_vocabulary(vocabulary):
        raise ValueError(f"{vocabulary_path} does not map pieces to ids: {GET_AGAIN}")
    merges = parse_merges(read_lines(merges_path), str(merges_path))
    if not set(ALPHABET) <= set(vocabulary):
        raise ValueError(
            f"{vocabulary_path} is no byte-level vocabulary, and does not say how it cuts words: "
            "open the model's tokenizer.json instead"
        )
    specials = unmade_pieces(sorted(vocabulary, key=vocabulary.__getitem__), merges)
    ordinary = (to_bytes(left + right) for left, right in merges)
    document = byte_level_document(
        vocabulary, merges, {text: vocabulary[text] for text in specials}, guess_pattern(ordinary)
    )
    return tokenizer_from_document(document, str(vocabulary_path))


def _pair(path: Path) -> tuple[Path, Path]:
    """Returns the paths of vocabulary and merges, given one; names may have a common prefix."""
    for vocabulary, merges in PAIRS.items():
        if path.name.endswith(vocabulary):
            other = path.with_name(path.name.removesuffix(vocabulary) + merges)
            if other.is_file():
                return path, other
        if path.name.endswith(merges):
            other = path.with_name(path.name.removesuffix(merges) + vocabulary)
            if other.is_file():
                return other, path
    names = " or ".join(f"{vocabulary} with {merges}" for vocabulary, merges in PAIRS.items())
    raise ValueError(
        f"{path} is half of a tokenizer, and the other half is not beside it: put both into one "
        f"folder, as {names}"
    )


def is_vocabulary(value: Any) -> bool:
    """True if a parsed JSON file only maps pieces to ids."""
    return isinstance(value, dict) and bool(value) and all(type(i) is int for i in value.values())


def parse_merges(lines: list[str], name: str) -> list[tuple[str, str]]:
    """Returns the pairs of a merges.txt, without its version line."""
    merges = []
    for number, line in enumerate(lines, 1):
        if not line or (number == 1 and line.startswith("#version")):
            continue
        parts = line.split(" ")
        if len(parts) != 2 or not all(parts):
            raise ValueError(f"{name}: line {number} is not a pair of pieces: {GET_AGAIN}")
        merges.append((parts[0], parts[1]))
    return merges
