"""tokenizer.json: the file format of the Hugging Face tokenizers library.

What is written here loads there with `Tokenizer.from_file` and encodes every text to the same ids.
formats/ reads such files.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.files import write_atomically
from core.tokenization.bpe.patterns import word_pattern

if TYPE_CHECKING:
    from core.tokenization.bpe.tokenizer import ByteLevelBPE
    from core.tokenization.characters import CharacterTokenizer
    from core.tokenization.wordpiece.tokenizer import WordPiece

ANY_CHARACTER = r"[\s\S]"


def write_byte_level_bpe(path: str | Path, tokenizer: "ByteLevelBPE") -> None:
    """Writes a byte-level BPE; GPT-2's word pattern is known to the library by a switch."""
    gpt2 = tokenizer.pattern == "gpt2"
    byte_level: dict[str, Any] = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": gpt2,
    }
    split = {
        "type": "Split",
        "pattern": {"Regex": word_pattern(tokenizer.pattern).portable},
        "behavior": "Isolated",
        "invert": False,
    }
    cut = {"type": "Sequence", "pretokenizers": [split, byte_level]}
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": tokenizer.ignore_merges,
        "vocab": {
            piece: token
            for token, piece in enumerate(tokenizer.vocabulary)
            if tokenizer.piece_bytes(token)  # else the id stands for nothing
        },
        "merges": [list(pair) for pair in tokenizer.merges],
    }
    pre_tokenizer = byte_level if gpt2 else cut
    _write(path, tokenizer.special_tokens, pre_tokenizer, dict(byte_level), model)


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


def write_wordpiece(path: str | Path, tokenizer: "WordPiece") -> None:
    """Writes a WordPiece with BERT's normalizer, and the tokens that stand round every text."""
    normalizer = {
        "type": "BertNormalizer",
        "clean_text": tokenizer.text.clean,
        "handle_chinese_chars": tokenizer.text.ideograms,
        "strip_accents": tokenizer.text.strip_accents,
        "lowercase": tokenizer.text.lowercase,
    }
    model = {
        "type": "WordPiece",
        "unk_token": tokenizer.unknown,
        "continuing_subword_prefix": "##",
        "max_input_chars_per_word": tokenizer.longest_word,
        "vocab": {piece: token for token, piece in enumerate(tokenizer.vocabulary)},
    }
    around = tokenizer.before + tokenizer.after
    before, after = (
        [{"SpecialToken": {"id": token, "type_id": 0}} for token in tokens]
        for tokens in (tokenizer.before, tokenizer.after)
    )
    first, second = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    template = {
        "type": "TemplateProcessing",
        "single": [*before, first, *after],
        "pair": [*before, first, *after, second, *after],
        "special_tokens": {
            token: {"id": token, "ids": [tokenizer.special_tokens[token]], "tokens": [token]}
            for token in around
        },
    }
    _write(
        path,
        tokenizer.special_tokens,
        {"type": "BertPreTokenizer"},
        {"type": "WordPiece", "prefix": "##", "cleanup": True},
        model,
        normalizer,
        template if around else None,
    )


def _write(
    path: str | Path,
    special_tokens: Mapping[str, int],
    pre_tokenizer: dict[str, Any],
    decoder: dict[str, Any],
    model: dict[str, Any],
    normalizer: dict[str, Any] | None = None,
    post_processor: dict[str, Any] | None = None,
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
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": post_processor,
        "decoder": decoder,
        "model": model,
    }
    write_atomically(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")
