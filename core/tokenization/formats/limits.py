"""What a tokenizer's file may ask for: more would fill the memory or take hours.

The Hugging Face tokenizers library trusts its files. Where one makes it ask for more memory than
there is the whole process ends at once, so whatever it would build or multiply is bounded before it
sees the file. None of the bounds is near what a tokenizer needs that is in use.
"""

import base64
import binascii
import struct
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Any

from core.files import GET_AGAIN, quoted
from core.tokenization.formats.spelling import stages_in

# Every vocabulary.
MAX_PIECE = 2048  # characters; the longest known, a run of spaces, has 128
MAX_LETTERS = 10_000_000  # of all pieces; each may become a node of a tree

# What the library does.
MAX_STAGES = 100
MAX_GROWTH = 64  # a normalizer that makes a text longer than this many times is a trap
MAX_AROUND = 1000  # tokens that are put round every text
MAX_ADDED = 100_000
MAX_TURNS = 1000  # between special and plain added tokens; at each, it builds its search anew
MAX_ADDED_LETTERS = 1_000_000  # each may grow as a text does
MAX_PATTERN = 20_000  # characters of a regular expression
MAX_AFFIX = 100  # characters before or behind the parts of a word, at each of its letters
MAX_WORD = 1000  # characters of a word that WordPiece cuts, in the square of their number


def check_pieces(pieces: Collection[str] | Collection[bytes], name: str) -> None:
    """Raises ValueError for a vocabulary with a piece, or all together, too long to be one."""
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
    """Raises ValueError for what the library would not survive, or not in time."""
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
    """A template may name one token for thousands of ids, and the text more than once."""
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
    """For how many ids each token of a template stands; it has as many pieces."""
    found = {}
    for key, entry in tokens.items() if isinstance(tokens, dict) else ():
        entry = entry if isinstance(entry, dict) else {}
        ids, spelled = entry.get("ids"), entry.get("tokens")
        if not isinstance(ids, list) or not isinstance(spelled, list):
            continue  # which the library refuses
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
    """How many times longer a text can get at most, where each of its characters may be changed."""
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
    """Before each part of a text, which may be a single character."""
    return 1.0 + len(stage["prepend"]) if isinstance(stage.get("prepend"), str) else 1.0


def _looked_up(stage: Mapping[str, Any]) -> float:
    """A table's strings stand behind its array, whose size comes first; 18 characters are usual."""
    encoded = stage.get("precompiled_charsmap")
    if not isinstance(encoded, str):
        return 1.0
    try:
        table = base64.b64decode(encoded)
        size = struct.unpack_from("<I", table)[0]
    except (binascii.Error, struct.error, ValueError):
        return 1.0  # which the library refuses
    strings = table[4 + size :].decode("utf-8", "replace").split("\0")
    return max(1.0, *map(len, strings))
