"""Reads the tokenizer.json files that our own classes match exactly.

Each function checks every stage in the file. It returns None if its class cannot do one of them,
and raises ValueError if the file is damaged.
"""

from collections.abc import Mapping
from typing import Any

from core.files import GET_AGAIN, quoted
from core.tokenization.bpe.patterns import name_of_pattern
from core.tokenization.bpe.tokenizer import ByteLevelBPE
from core.tokenization.byte_level import ALPHABET, BYTE_OF_CHARACTER
from core.tokenization.characters import CharacterTokenizer
from core.tokenization.formats.reading import MAX_PIECES
from core.tokenization.formats.tokenizer_json import ANY_CHARACTER, NFC

BPE_SETTINGS = ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback")


def read_byte_level_bpe(document: Mapping[str, Any], name: str) -> ByteLevelBPE | None:
    """Reads a byte-level BPE that cuts words by one of our patterns; `name` is the file."""
    model = document["model"]
    pattern = _byte_level_pattern(document.get("pre_tokenizer"))
    composes = document.get("normalizer") == NFC
    exact = (
        model.get("type") in (None, "BPE")
        and pattern is not None
        and (composes or _does_nothing(document.get("normalizer")))
        and _adds_no_tokens(document.get("post_processor"))
        and not any(model.get(setting) for setting in BPE_SETTINGS)
        and are_plain(document.get("added_tokens"), normalized=composes)
    )
    if not exact or pattern is None:
        return None
    ids, specials = read_ids(document, name)
    merges = read_merges(model.get("merges"), name)
    ordinary = {character for piece in ids if piece not in specials for character in piece}
    if not set(ALPHABET) <= ids.keys() or not ordinary <= BYTE_OF_CHARACTER.keys():
        return None
    vocabulary, unused = by_id(ids)
    ignore_merges = bool(model.get("ignore_merges"))
    try:
        return ByteLevelBPE(
            vocabulary,
            merges,
            specials,
            pattern=pattern,
            ignore_merges=ignore_merges,
            unused=unused,
            normalizer="nfc" if composes else None,
        )
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def read_characters(document: Mapping[str, Any], name: str) -> CharacterTokenizer | None:
    """Reads a word-level model whose words are single characters; `name` is the file."""
    model = document["model"]
    cut = document.get("pre_tokenizer")
    exact = (
        model.get("type") == "WordLevel"
        and isinstance(cut, dict)
        and cut.get("pattern") == {"Regex": ANY_CHARACTER}
        and document.get("normalizer") is None
        and _adds_no_tokens(document.get("post_processor"))
        and are_plain(document.get("added_tokens"))
    )
    if not exact:
        return None
    ids, specials = read_ids(document, name)
    vocabulary, unused = by_id(ids)
    unknown = model.get("unk_token") or None
    if unused or (unknown is not None and not isinstance(unknown, str)):
        raise ValueError(f"{name} has ids without a character, or no token for them: {GET_AGAIN}")
    try:
        return CharacterTokenizer(vocabulary, specials, unknown)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


# -- stages -----------------------------------------------------------------------------------


def _byte_level_pattern(cut: Any) -> str | None:
    """Returns the word pattern of a byte-level pre-tokenizer, or None for any other."""
    if not isinstance(cut, dict):
        return None
    stages = cut.get("pretokenizers") if cut.get("type") == "Sequence" else [cut]
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        return None
    if not stages or stages[-1].get("type") != "ByteLevel" or stages[-1].get("add_prefix_space"):
        return None
    by_itself = stages[-1].get("use_regex", True) is True
    if len(stages) == 1:
        return "gpt2" if by_itself else None
    first = stages[0]
    if len(stages) > 2:
        return None
    if first.get("type") == "Digits":
        return "smollm2" if by_itself and first.get("individual_digits") is True else None
    pattern = first.get("pattern")
    isolates = first.get("behavior") in ("Isolated", "Removed") and isinstance(pattern, dict)
    if first.get("type") != "Split" or by_itself or not isolates:
        return None
    # Each of our patterns matches every character, so there is nothing between matches.
    if first["behavior"] == "Isolated" and first.get("invert"):
        return None
    if first["behavior"] == "Removed" and not first.get("invert"):
        return None
    return name_of_pattern(str(pattern.get("Regex")))


def _does_nothing(normalizer: Any) -> bool:
    return normalizer is None or normalizer == {"type": "Sequence", "normalizers": []}


def _adds_no_tokens(post_processor: Any) -> bool:
    return post_processor is None or (
        isinstance(post_processor, dict) and post_processor.get("type") == "ByteLevel"
    )


def are_plain(added_tokens: Any, *, normalized: bool = False) -> bool:
    """True if every added token is special and does not affect the spaces around it.

    normalized  whether the text is normalized, so that tokens must be found before that
    """
    switches = ("lstrip", "rstrip", "single_word", *(["normalized"] if normalized else []))
    return all(
        token.get("special") is True and not any(token.get(switch) for switch in switches)
        for token in added_tokens or ()
    )


# -- model ------------------------------------------------------------------------------------


def read_ids(document: Mapping[str, Any], name: str) -> tuple[dict[str, int], dict[str, int]]:
    """Returns the ids of all pieces, including added tokens, and those of added tokens alone."""
    vocab = document["model"]["vocab"]
    if not isinstance(vocab, dict):
        raise ValueError(f"{name} has no vocabulary: {GET_AGAIN}")
    ids: dict[str, Any] = dict(vocab)
    specials: dict[str, Any] = {}
    for token in document.get("added_tokens") or ():
        ids[token["content"]] = specials[token["content"]] = token.get("id")
    if not all(type(token) is int and token >= 0 for token in ids.values()):
        raise ValueError(f"{name} has a piece whose id is no number: {GET_AGAIN}")
    if len(set(ids.values())) < len(ids):
        raise ValueError(f"{name} gives one id to two pieces: {GET_AGAIN}")
    largest = max(ids.values(), default=0)
    if largest >= MAX_PIECES:
        raise ValueError(
            f"{name} has {len(ids):,} pieces, but the id {quoted(largest)}: {GET_AGAIN}"
        )
    return ids, specials


def by_id(ids: Mapping[str, int]) -> tuple[list[str], list[int]]:
    """Returns the pieces in the order of their ids, and the ids without a piece."""
    named = {token: piece for piece, token in ids.items()}
    size = max(named, default=-1) + 1
    unused = [token for token in range(size) if token not in named]
    return [named.get(token, f"<unused {token}>") for token in range(size)], unused


def read_merges(merges: object, name: str) -> list[tuple[str, str]]:
    """Returns the merges as pairs; older files write each as one string with a space between."""
    if not isinstance(merges, list):
        raise ValueError(f"{name} has no list of merges: {GET_AGAIN}")
    pairs = []
    for rank, merge in enumerate(merges):
        parts = merge.split(" ") if isinstance(merge, str) else merge
        if not isinstance(parts, list) or [type(part) for part in parts] != [str, str]:
            raise ValueError(f"{name}: merge {rank} is not a pair of pieces: {GET_AGAIN}")
        if not all(parts):  # "" + "a" would be merged into "a" forever
            raise ValueError(f"{name}: merge {rank} joins a piece with nothing: {GET_AGAIN}")
        pairs.append((parts[0], parts[1]))
    return pairs
