"""Builds the library's tokenizer from a document in several calls, so that a window stays alive.

The library reads a file in one call, and holds Python's lock until it is done: over a second for
the 262,144 pieces of Gemma 3. A large BPE is therefore passed to it in parts: the frame, then
pieces and merges, which it need not parse as JSON again, then added tokens in batches. The longest
call then takes two thirds of the time; no call of the library builds only a part of a BPE. Any
other document is read in one call.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import AddedToken, Tokenizer, models

LARGE = 50_000  # merges from which a BPE is passed in parts
HANDFUL = 500  # added tokens in one call
SETTINGS = (
    *("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"),
    *("fuse_unk", "byte_fallback", "ignore_merges"),
)
FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


def library_tokenizer(document: Mapping[str, Any], raw: bytes | None) -> Tokenizer:
    """Builds the library's tokenizer of a tokenizer.json; `raw` is its bytes, if available.

    Raises the library's own errors.
    """
    if is_large_bpe(document["model"]):
        made = _in_pieces(document)
        if _has_all_added(made, document):
            return made
    if raw is None:
        raw = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return Tokenizer.from_buffer(raw)


def is_large_bpe(model: Any) -> bool:
    """True if a document's model is a BPE that should be passed to the library in parts."""
    if not isinstance(model, Mapping) or model.get("type") != "BPE":
        return False
    merges = model.get("merges")
    return (
        isinstance(model.get("vocab"), dict)
        and isinstance(merges, list)
        and len(merges) >= LARGE
        and set(model) <= {"type", "vocab", "merges", *SETTINGS}
        and all(isinstance(pair, list) and len(pair) == 2 for pair in merges)
    )


def _in_pieces(document: Mapping[str, Any]) -> Tokenizer:
    model = document["model"]
    frame = {**model, "vocab": {}, "merges": [], "unk_token": None}
    made = Tokenizer.from_str(json.dumps({**document, "model": frame, "added_tokens": []}))
    merges = [(first, second) for first, second in model["merges"]]
    settings = {name: model[name] for name in SETTINGS if model.get(name) is not None}
    made.model = models.BPE(vocab=model["vocab"], merges=merges, **settings)
    added = document.get("added_tokens") or []
    for start in range(0, len(added), HANDFUL):
        made.add_tokens([_added(token) for token in added[start : start + HANDFUL]])
        time.sleep(0)  # lets other threads run
    return made


def _added(token: Mapping[str, Any]) -> AddedToken:
    return AddedToken(token["content"], **{name: bool(token.get(name)) for name in FLAGS})


def _has_all_added(made: Tokenizer, document: Mapping[str, Any]) -> bool:
    """True if the added tokens have the ids that the document gives them."""
    added: Sequence[Mapping[str, Any]] = document.get("added_tokens") or []
    found = made.get_added_tokens_decoder()
    return {token["id"]: token["content"] for token in added} == {
        number: token.content for number, token in found.items()
    }
