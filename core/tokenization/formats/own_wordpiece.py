"""Reads the tokenizer.json files of BERT that our own WordPiece matches exactly."""

from collections.abc import Mapping
from typing import Any

from core.tokenization.formats.own_documents import are_plain, by_id, read_ids
from core.tokenization.wordpiece.bert_text import BertText
from core.tokenization.wordpiece.tokenizer import PREFIX, WordPiece

SWITCHES = {
    "clean_text": "clean",
    "handle_chinese_chars": "ideograms",
    "strip_accents": "strip_accents",
    "lowercase": "lowercase",
}


def read_wordpiece(document: Mapping[str, Any], name: str) -> WordPiece | None:
    """Reads a WordPiece with BERT's normalizer and words; returns None for any other file.

    Raises ValueError, with the file's `name`, if it is damaged.
    """
    model = document["model"]
    text = _read_text(document.get("normalizer"))
    around = _read_around(document.get("post_processor"))
    longest = model.get("max_input_chars_per_word", 100)
    exact = (
        model.get("type") == "WordPiece"
        and document.get("pre_tokenizer") == {"type": "BertPreTokenizer"}
        and model.get("continuing_subword_prefix", PREFIX) == PREFIX
        and type(longest) is int
        and longest > 0
        and _decodes_as_bert(document.get("decoder"))
        and are_plain(document.get("added_tokens"), normalized=True)
    )
    if not exact or text is None or around is None:
        return None
    ids, specials = read_ids(document, name)
    vocabulary, unused = by_id(ids)
    if unused or not set(around[0] + around[1]) <= specials.keys():
        return None
    try:
        return WordPiece(
            vocabulary,
            specials,
            text=text,
            unknown=str(model.get("unk_token", "[UNK]")),
            longest_word=longest,
            before=around[0],
            after=around[1],
        )
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _read_text(normalizer: Any) -> BertText | None:
    if not isinstance(normalizer, dict) or normalizer.get("type") != "BertNormalizer":
        return None
    given = {ours: normalizer[theirs] for theirs, ours in SWITCHES.items() if theirs in normalizer}
    accents = given.pop("strip_accents", None)
    if accents not in (None, True, False) or not all(type(on) is bool for on in given.values()):
        return None
    return BertText(strip_accents=accents, **given)


def _read_around(post_processor: Any) -> tuple[list[str], list[str]] | None:
    """Returns the tokens added before and after a text, from either notation of the format."""
    if post_processor is None:
        return [], []
    if not isinstance(post_processor, dict):
        return None
    if post_processor.get("type") == "BertProcessing":
        first, last = (_first_name(post_processor.get(end)) for end in ("cls", "sep"))
        return ([first], [last]) if first and last else None
    if post_processor.get("type") != "TemplateProcessing":
        return None
    parts = post_processor.get("single")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        return None
    places = [place for place, part in enumerate(parts) if "Sequence" in part]
    names: list[str] = []
    for part in parts:
        token = part.get("SpecialToken")
        if isinstance(token, dict) and _stands_for_itself(post_processor, token.get("id")):
            names.append(token["id"])
    if len(places) != 1 or len(names) != len(parts) - 1:
        return None
    return names[: places[0]], names[places[0] :]


def _first_name(pair: Any) -> str | None:
    """Returns the token of a BertProcessing entry such as ["[SEP]", 102]."""
    return pair[0] if isinstance(pair, list) and pair and isinstance(pair[0], str) else None


def _stands_for_itself(template: Mapping[str, Any], name: Any) -> bool:
    """True if a name in a template stands for one token of that name, not for several."""
    known = template.get("special_tokens")
    entry = known.get(name) if isinstance(known, dict) and isinstance(name, str) else None
    return isinstance(entry, dict) and entry.get("tokens") == [name]


def _decodes_as_bert(decoder: Any) -> bool:
    return decoder is None or (
        isinstance(decoder, dict)
        and decoder.get("type") == "WordPiece"
        and decoder.get("prefix", PREFIX) == PREFIX
        and decoder.get("cleanup", True) is True
    )
