"""tekken.json: Mistral's format since 2024. Ranks as in .tiktoken, with pattern and specials.

The first 1,000 ids are special tokens; a piece's id is its rank plus this number. The file holds
more pieces than the vocabulary: the rest is ignored.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from core.files import GET_AGAIN, quoted
from core.tokenization.bpe.patterns import PATTERNS, name_of_pattern
from core.tokenization.bpe.ranks import RankedBPE
from core.tokenization.formats.ranks import ranked_bpe
from core.tokenization.formats.reading import MAX_PIECES

# Files before version 7 do not name their special tokens; these are their first twenty.
FIRST_SPECIALS = (
    *("<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"),
    *("[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]"),
    *("[IMG_END]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
    "[TOOL_CONTENT]",
)


def tekken_from_document(document: Mapping[str, Any], name: str) -> RankedBPE:
    """Builds the tokenizer of a parsed tekken.json; raises ValueError if it is damaged."""
    config = document.get("config")
    if not isinstance(config, dict) or not isinstance(document.get("vocab"), list):
        raise ValueError(f"{name} has no config and vocab: {GET_AGAIN}")
    pattern = name_of_pattern(str(config.get("pattern")))
    if pattern is None:
        raise ValueError(
            f"{name} cuts words by a pattern that is not known; the known ones are "
            f"{', '.join(PATTERNS)}: open the model's tokenizer.json instead"
        )
    size, n_special = config.get("default_vocab_size"), config.get("default_num_special_tokens")
    if type(size) is not int or type(n_special) is not int or not 0 <= n_special < size:
        raise ValueError(f"{name} does not say how many pieces it has: {GET_AGAIN}")
    if size > MAX_PIECES:
        raise ValueError(f"{name} promises {quoted(size)} pieces: {GET_AGAIN}")
    ranks = {}
    for entry in document["vocab"]:
        rank, data = _piece(entry, name)
        if rank < size - n_special:
            ranks[data] = rank + n_special
    if len(ranks) != size - n_special:
        raise ValueError(
            f"{name} has {len(ranks):,} pieces where {size - n_special:,} should be: {GET_AGAIN}"
        )
    return ranked_bpe(ranks, _specials(document, n_special, name), pattern, name)


def _piece(entry: Any, name: str) -> tuple[int, bytes]:
    try:
        rank = entry["rank"]
        data = base64.b64decode(entry["token_bytes"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        rank, data = None, b""
    if type(rank) is not int or rank < 0 or not data:
        raise ValueError(f"{name} describes a piece wrongly: {GET_AGAIN}")
    return rank, data


def _specials(document: Mapping[str, Any], n_special: int, name: str) -> dict[str, int]:
    """Returns the special tokens: the named ones, and "<SPECIAL_7>" for an id without a name."""
    named = document.get("special_tokens")
    entries: list[Any]
    if named is None:
        entries = [{"rank": i, "token_str": text} for i, text in enumerate(FIRST_SPECIALS)]
    else:
        entries = named if isinstance(named, list) else [None]
    text_of = {rank: f"<SPECIAL_{rank}>" for rank in range(n_special)}
    for entry in entries:
        rank = entry.get("rank") if isinstance(entry, dict) else None
        text = entry.get("token_str") if isinstance(entry, dict) else None
        if type(rank) is not int or not isinstance(text, str) or rank < 0:
            raise ValueError(f"{name} describes a special token wrongly: {GET_AGAIN}")
        if rank < n_special:
            text_of[rank] = text
    if len(set(text_of.values())) < len(text_of):
        raise ValueError(f"{name} names two special tokens alike: {GET_AGAIN}")
    return {text: rank for rank, text in text_of.items()}
