"""tokenizer.json: the file format of the Hugging Face tokenizers library.

What is written here loads there with `Tokenizer.from_file` and encodes every text to the same ids;
what is read must say that it does what our tokenizers do, or it is refused with the reason.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.files import GET_AGAIN, write_atomically

if TYPE_CHECKING:
    from core.tokenization.bpe import ByteLevelBPE
    from core.tokenization.characters import CharacterTokenizer

ANY_CHARACTER = r"[\s\S]"


def write_byte_level_bpe(path: str | Path, tokenizer: "ByteLevelBPE") -> None:
    """Writes a byte-level BPE with GPT-2's word pattern."""
    byte_level = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": {piece: token for token, piece in enumerate(tokenizer.vocabulary)},
        "merges": [list(pair) for pair in tokenizer.merges],
    }
    _write(path, tokenizer.special_tokens, byte_level, dict(byte_level), model)


def write_characters(path: str | Path, tokenizer: "CharacterTokenizer") -> None:
    """Writes a character tokenizer: a word-level model whose words are single characters."""
    split = {
        "type": "Split",
        "pattern": {"Regex": ANY_CHARACTER},
        "behavior": "Isolated",
        "invert": False,
    }
    model = {
        "type": "WordLevel",
        "vocab": {piece: token for token, piece in enumerate(tokenizer.vocabulary)},
        "unk_token": tokenizer.unknown or "",
    }
    _write(path, tokenizer.special_tokens, split, {"type": "Fuse"}, model)


def _write(
    path: str | Path,
    special_tokens: Mapping[str, int],
    pre_tokenizer: dict[str, Any],
    decoder: dict[str, Any],
    model: dict[str, Any],
) -> None:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    added = [
        {"id": token, "content": text, **flags, "special": True}
        for text, token in sorted(special_tokens.items(), key=lambda item: item[1])
    ]
    document = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": None,
        "decoder": decoder,
        "model": model,
    }
    write_atomically(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def read_byte_level_bpe(document: Mapping[str, Any], name: str) -> "ByteLevelBPE":
    """Builds the tokenizer from a parsed tokenizer.json; `name` is the file, for messages."""
    from core.tokenization.bpe import ByteLevelBPE

    model = document["model"]
    _refuse_unless(document.get("normalizer") is None, name, "changes the text before cutting it")
    cut = _object(document, "pre_tokenizer")
    after = _object(document, "post_processor")
    as_gpt2 = cut.get("type") == "ByteLevel" and cut.get("use_regex", True) is True
    _refuse_unless(as_gpt2, name, "does not cut words as GPT-2 does")
    _refuse_unless(not cut.get("add_prefix_space"), name, "adds a space before the text")
    _refuse_unless(after.get("type", "ByteLevel") == "ByteLevel", name, "adds tokens by itself")
    for setting in ("dropout", "continuing_subword_prefix", "end_of_word_suffix"):
        _refuse_unless(not model.get(setting), name, f"uses the BPE setting {setting}")
    _refuse_unless(not model.get("ignore_merges"), name, "uses the BPE setting ignore_merges")
    vocabulary, specials = _read_vocabulary(document, name)
    return ByteLevelBPE(vocabulary, _read_merges(model.get("merges"), name), specials)


def read_characters(document: Mapping[str, Any], name: str) -> "CharacterTokenizer":
    """Builds the character tokenizer from a parsed tokenizer.json."""
    from core.tokenization.characters import CharacterTokenizer

    model = document["model"]
    _refuse_unless(
        _object(document, "pre_tokenizer").get("pattern") == {"Regex": ANY_CHARACTER},
        name,
        "is a word-level tokenizer whose words are not single characters",
    )
    _refuse_unless(document.get("normalizer") is None, name, "changes the text before cutting it")
    vocabulary, specials = _read_vocabulary(document, name)
    unknown = model.get("unk_token") or None
    if unknown is not None and not isinstance(unknown, str):
        raise ValueError(f"{name} names no token for unknown characters: {GET_AGAIN}")
    return CharacterTokenizer(vocabulary, specials, unknown)


def _object(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _refuse_unless(condition: bool, name: str, what: str) -> None:
    if not condition:
        raise ValueError(
            f"{name} {what}, which this version cannot do exactly: choose a byte-level BPE in the "
            "manner of GPT-2, or a tokenizer that LLM Explorer saved"
        )


def _read_vocabulary(document: Mapping[str, Any], name: str) -> tuple[list[str], dict[str, int]]:
    """The pieces by id, added tokens included, and the special tokens."""
    vocab = document["model"].get("vocab")
    added = document.get("added_tokens") or []
    if not isinstance(vocab, dict) or not isinstance(added, list):
        raise ValueError(f"{name} has no vocabulary: {GET_AGAIN}")
    ids: dict[str, Any] = dict(vocab)
    specials: dict[str, Any] = {}
    for token in added:
        if not isinstance(token, dict) or not isinstance(token.get("content"), str):
            raise ValueError(f"{name} describes an added token wrongly: {GET_AGAIN}")
        _refuse_unless(
            not (token.get("lstrip") or token.get("rstrip") or token.get("single_word")),
            name,
            f"has the token {token['content']!r} that swallows spaces",
        )
        ids[token["content"]] = specials[token["content"]] = token.get("id")
    by_id = {token: piece for piece, token in ids.items() if type(token) is int}
    if len(by_id) != len(ids) or set(by_id) != set(range(len(ids))):
        raise ValueError(
            f"{name}: the ids of its {len(ids)} pieces are not 0 to {len(ids) - 1}, each once: "
            f"{GET_AGAIN}"
        )
    return [by_id[token] for token in range(len(by_id))], specials


def _read_merges(merges: object, name: str) -> list[tuple[str, str]]:
    """Merges are pairs; older files write them as one string with a space between."""
    if not isinstance(merges, list):
        raise ValueError(f"{name} has no list of merges: {GET_AGAIN}")
    pairs = []
    for rank, merge in enumerate(merges):
        parts = merge.split(" ") if isinstance(merge, str) else merge
        if not isinstance(parts, list) or [type(part) for part in parts] != [str, str]:
            raise ValueError(f"{name}: merge {rank} is not a pair of pieces: {GET_AGAIN}")
        pairs.append((parts[0], parts[1]))
    return pairs
