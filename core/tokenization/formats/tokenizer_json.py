"""Writes tokenizer.json, the file format of the Hugging Face tokenizers library.

The library loads these files with `Tokenizer.from_file` and encodes every text to the same ids.
This module imports no tokenizer class, so that each class can save itself with it; `documents`
reads such files. SentencePiece's tokenizers are written in `sentencepiece`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.files import write_atomically
from core.tokenization.bpe.patterns import WordPattern, word_pattern
from core.tokenization.wordpiece.bert_text import BertText

Part = dict[str, Any]  # a stage of the document, or its model

ANY_CHARACTER = r"[\s\S]"
NFC: Part = {"type": "NFC"}
PLAIN = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}


def write_document(path: str | Path, document: Mapping[str, Any]) -> None:
    """Writes a tokenizer.json atomically."""
    write_atomically(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def whole_document(
    special_tokens: Mapping[str, int],
    model: Part,
    *,
    decoder: Part,
    pre_tokenizer: Part | None,
    normalizer: Part | None = None,
    post_processor: Part | None = None,
) -> dict[str, Any]:
    """Returns the whole document of a model and its stages."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": token, "content": text, **PLAIN, "special": True}
            for text, token in sorted(special_tokens.items(), key=lambda item: item[1])
        ],
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": post_processor,
        "decoder": decoder,
        "model": model,
    }


# -- stages -----------------------------------------------------------------------------------


def split_at(expression: str) -> Part:
    """Returns the pre-tokenizer whose words are the matches of a regular expression."""
    return {
        "type": "Split",
        "pattern": {"Regex": expression},
        "behavior": "Isolated",
        "invert": False,
    }


def byte_level(by_itself: bool) -> Part:
    """Returns the stage that writes bytes as characters; by_itself: it also cuts words as GPT-2."""
    return {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": by_itself,
    }


def words_as_bytes(pattern: WordPattern) -> Part:
    """Returns the pre-tokenizer of a byte-level BPE; GPT-2's pattern is built into the library."""
    if pattern.name == "gpt2":
        return byte_level(by_itself=True)
    stages = [split_at(pattern.portable), byte_level(by_itself=False)]
    return {"type": "Sequence", "pretokenizers": stages}


def bert_normalizer(text: BertText) -> Part:
    """Returns BERT's normalizer as a stage."""
    return {
        "type": "BertNormalizer",
        "clean_text": text.clean,
        "handle_chinese_chars": text.ideograms,
        "strip_accents": text.strip_accents,
        "lowercase": text.lowercase,
    }


def template(before: Sequence[str], after: Sequence[str], ids: Mapping[str, int]) -> Part | None:
    """Returns the post-processor that adds tokens before and after every text; None for none."""
    if not before and not after:
        return None
    first_tokens, last_tokens = (
        [{"SpecialToken": {"id": token, "type_id": 0}} for token in tokens]
        for tokens in (before, after)
    )
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    return {
        "type": "TemplateProcessing",
        "single": [*first_tokens, first, *last_tokens],
        "pair": [*first_tokens, first, *last_tokens, second, *last_tokens],
        "special_tokens": {
            token: {"id": token, "ids": [ids[token]], "tokens": [token]}
            for token in (*before, *after)
        },
    }


# -- models -----------------------------------------------------------------------------------


def bpe_model(
    vocab: Mapping[str, int],
    merges: Sequence[Sequence[str]],
    *,
    ignore_merges: bool = False,
    unknown: str | None = None,
    byte_fallback: bool = False,
) -> Part:
    """Returns a BPE model, which turns adjacent unknown characters into one token."""
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": unknown,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": unknown is not None,
        "byte_fallback": byte_fallback,
        "ignore_merges": ignore_merges,
        "vocab": dict(vocab),
        "merges": [list(pair) for pair in merges],
    }


def wordpiece_model(vocab: Mapping[str, int], unknown: str, longest_word: int) -> Part:
    """Returns a WordPiece model."""
    return {
        "type": "WordPiece",
        "unk_token": unknown,
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": longest_word,
        "vocab": dict(vocab),
    }


def byte_level_document(
    vocab: Mapping[str, int],
    merges: Sequence[Sequence[str]],
    special_tokens: Mapping[str, int],
    pattern: str,
    *,
    ignore_merges: bool = False,
    normalizer: str | None = None,
) -> dict[str, Any]:
    """Returns the document of a byte-level BPE that cuts words by one of our patterns."""
    cut = words_as_bytes(word_pattern(pattern))
    return whole_document(
        special_tokens,
        bpe_model(vocab, merges, ignore_merges=ignore_merges),
        normalizer=NFC if normalizer == "nfc" else None,
        pre_tokenizer=cut,
        decoder=byte_level(by_itself=pattern == "gpt2"),
    )


def character_document(
    vocab: Mapping[str, int], special_tokens: Mapping[str, int], unknown: str | None
) -> dict[str, Any]:
    """Returns a character tokenizer's document: a word-level model of single characters."""
    return whole_document(
        special_tokens,
        {"type": "WordLevel", "vocab": dict(vocab), "unk_token": unknown or ""},
        pre_tokenizer=split_at(ANY_CHARACTER),
        decoder={"type": "Fuse"},
    )


def wordpiece_document(
    vocab: Mapping[str, int],
    special_tokens: Mapping[str, int],
    text: BertText,
    *,
    unknown: str,
    longest_word: int,
    before: Sequence[str] = (),
    after: Sequence[str] = (),
) -> dict[str, Any]:
    """Returns the document of a WordPiece with BERT's normalizer and tokens around every text."""
    return whole_document(
        special_tokens,
        wordpiece_model(vocab, unknown, longest_word),
        normalizer=bert_normalizer(text),
        pre_tokenizer={"type": "BertPreTokenizer"},
        post_processor=template(before, after, special_tokens),
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
    )
