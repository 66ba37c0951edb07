"""Limits on what a tokenizer's file may request: more would fill the memory or take hours.

The Hugging Face tokenizers library trusts its files. If one makes it request more memory than there
is, the whole process ends at once, so everything that it would build or multiply is limited before
it gets the file. No tokenizer in use comes near any of these limits.
"""

import base64
import binascii
import struct
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Any

from core.files import GET_AGAIN, quoted
from core.tokenization.formats.spelling import stages_in

# For every vocabulary.
MAX_PIECE = 2048  # characters; the longest known, a run of spaces, has 128
MAX_LETTERS = 10_000_000  # characters of all pieces; each may become a node of a tree

# For the library.
MAX_STAGES = 100
MAX_GROWTH = 64  # a normalizer that lengthens a text by a larger factor is malicious
MAX_AROUND = 1000  # tokens that are added around every text
MAX_ADDED = 100_000
MAX_TURNS = 1000  # changes between special and plain added tokens; each rebuilds the search
MAX_ADDED_LETTERS = 1_000_000  # each may grow as a text does
MAX_PATTERN = 20_000  # characters of a regular expression
MAX_AFFIX = 100  # characters before or after the parts of a word, at each of its letters
MAX_WORD = 1000  # characters of a word that WordPiece cuts, in quadratic time


def check_pieces(pieces: Collection[str] | Collection[bytes], name: str) -> None:
    """Raises ValueError, with a remedy, if a piece, or all pieces together, are too long."""
    longest = max(map(len, pieces), default=0)
    if longest > MAX_PIECE:
        raise ValueError(
            f"{name} has a piece of {longest:,} characters, more than the {MAX_PIECE:,} that one "
            f"can have: {GET_AGAIN}"
        )
    letters = sum(map(len, pieces))
    if letters > MAX_LETTERS:
        raise ValueError(
            f"{name} has pieces of {letters:,} characters together, more than any vocabulary: "
            f"{GET_AGAIN}"
        )


def check_for_library(document: Mapping[str, Any], name: str) -> None:
    """Raises ValueError, with a remedy, if a document could crash or stall the library."""
    parts = [document.get(key) for key in ("normalizer", "pre_tokenizer", "decoder")]
    around = list(stages_in(document.get("post_processor")))
    if len(list(stages_in(parts))) + len(around) > MAX_STAGES:
        raise _refused(name, f"has more than {MAX_STAGES} stages")
    _check_model(document["model"], name)
    _check_added(document.get("added_tokens") or [], name)
    _check_around(around, name)
    if any(len(pattern) > MAX_PATTERN for pattern in _regular_expressions(parts)):
        raise _refused(name, f"has a pattern of more than {MAX_PATTERN:,} characters")
    if growth_of(document) > MAX_GROWTH:
        raise _refused(name, "replaces characters so often that a text could grow without end")


def _refused(name: str, why: str) -> ValueError:
    return ValueError(f"{name} {why}: {GET_AGAIN}")


def _check_model(model: Mapping[str, Any], name: str) -> None:
    for key in ("continuing_subword_prefix", "end_of_word_suffix", "unk_token"):
        affix = model.get(key)
        if isinstance(affix, str) and len(affix) > MAX_AFFIX:
            raise _refused(name, f"says {quoted(affix)} for {key}, more than {MAX_AFFIX} allow")
    longest = model.get("max_input_chars_per_word")
    if isinstance(longest, int) and longest > MAX_WORD:
        raise _refused(name, f"cuts words of {quoted(longest)} characters, above {MAX_WORD:,}")


def _check_added(added: list[Mapping[str, Any]], name: str) -> None:
    letters = sum(len(str(token.get("content"))) for token in added)
    turns = sum(one.get("special") != other.get("special") for one, other in pairwise(added))
    if len(added) > MAX_ADDED or turns > MAX_TURNS or letters > MAX_ADDED_LETTERS:
        raise _refused(
            name,
            f"has {len(added):,} added tokens of {letters:,} characters, {turns:,} times special "
            f"after plain; {MAX_ADDED:,}, {MAX_ADDED_LETTERS:,} and {MAX_TURNS:,} are possible",
        )


def _check_around(stages: list[dict[str, Any]], name: str) -> None:
    """Refuses templates that repeat the text, or in which a token stands for thousands of ids."""
    total = 0
    for stage in stages:
        lengths = _lengths(stage.get("special_tokens"), name)
        for key in ("single", "pair"):
            parts = stage.get(key)
            parts = [p for p in parts if isinstance(p, dict)] if isinstance(parts, list) else []
            texts = [_id_of(part["Sequence"]) for part in parts if "Sequence" in part]
            if len(texts) > len(set(texts)):
                raise _refused(name, "has a template that takes a text more than once")
            total += sum(lengths.get(_id_of(part.get("SpecialToken")), 0) for part in parts)
    if total > MAX_AROUND:
        raise _refused(name, f"puts {total:,} tokens round every text, more than {MAX_AROUND:,}")


def _lengths(tokens: Any, name: str) -> dict[str, int]:
    """Returns the number of ids of each token in a template, which must equal that of pieces."""
    found = {}
    for key, entry in tokens.items() if isinstance(tokens, dict) else ():
        entry = entry if isinstance(entry, dict) else {}
        ids, spelled = entry.get("ids"), entry.get("tokens")
        if not isinstance(ids, list) or not isinstance(spelled, list):
            continue  # the library refuses it
        if len(ids) != len(spelled):
            raise _refused(name, f"has a template with other ids than pieces for {quoted(key)}")
        found[key] = len(ids)
    return found


def _id_of(part: Any) -> str:
    return str(part.get("id")) if isinstance(part, dict) else ""


def _regular_expressions(parts: list[Any]) -> Iterator[str]:
    for stage in stages_in(parts):
        pattern = stage.get("pattern")
        if isinstance(pattern, dict) and isinstance(pattern.get("Regex"), str):
            yield pattern["Regex"]


def growth_of(document: Mapping[str, Any]) -> float:
    """Returns the largest factor by which a text can grow if all its characters are changed."""
    growth = 1.0
    for key in ("normalizer", "pre_tokenizer", "decoder"):
        for stage in stages_in(document.get(key)):
            if key != "decoder" and stage.get("type") == "ByteLevel":
                growth *= 2  # each byte of a character beyond ASCII becomes a character
            growth *= _replaced(stage) * _prepended(stage) * _looked_up(stage)
    return growth


def _replaced(stage: Mapping[str, Any]) -> float:
    content, pattern = stage.get("content"), stage.get("pattern")
    if not isinstance(content, str) or not isinstance(pattern, dict):
        return 1.0
    replaced = pattern.get("String")
    return max(1.0, len(content) / max(1, len(replaced) if isinstance(replaced, str) else 1))


def _prepended(stage: Mapping[str, Any]) -> float:
    """Returns the growth by a prefix of each part of a text, which may be a single character."""
    return 1.0 + len(stage["prepend"]) if isinstance(stage.get("prepend"), str) else 1.0


def _looked_up(stage: Mapping[str, Any]) -> float:
    """Returns the growth by a table of rules: its longest string, usually 18 characters."""
    encoded = stage.get("precompiled_charsmap")
    if not isinstance(encoded, str):
        return 1.0
    try:
        table = base64.b64decode(encoded)
        size = struct.unpack_from("<I", table)[0]
    except (binascii.Error, struct.error, ValueError):
        return 1.0  # the library refuses it
    strings = table[4 + size :].decode("utf-8", "replace").split("\0")  # they follow the array
    return max(1.0, *map(len, strings))
