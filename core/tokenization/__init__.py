"""Tokenizers from scratch: text to ids and back.

Read in this order: byte_level (text as bytes), specials, tokenizer (the interface of all of them),
word_cache (the ids of earlier words); for training: steps (what a trainer yields), counting (of
words), symbol_row (a text whose neighbors are merged); telling (the wording of traces). The
simplest tokenizer is in characters, and each of the others is a chapter: bpe, wordpiece,
sentencepiece, unigram; training trains each by its name. To follow them step by step:
library_trace, encoding_stages, encoding_trace, training_trace, growing (a sample split by a growing
vocabulary), lockstep (several at once), vocabulary_limits. Finally, formats reads every file
format; opening, ids (for a model without a tokenizer), known (well-known tokenizers) and getting
(downloads them); analysis measures what they do to languages and what their vocabularies contain.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.tokenization.bpe import ByteLevelBPE, MergeTree, RankedBPE, TreeNode, merge_tree
    from core.tokenization.characters import CharacterTokenizer
    from core.tokenization.opening import open_tokenizer
    from core.tokenization.sentencepiece import SentencePieceBPE
    from core.tokenization.specials import END_OF_TEXT
    from core.tokenization.steps import AlphabetStep, CountingStep, MergeStep, TrainingStep
    from core.tokenization.tokenizer import Encoding, Stage, Tokenizer
    from core.tokenization.training import train_tokenizer, train_tokenizer_steps
    from core.tokenization.unigram import Unigram
    from core.tokenization.wordpiece import WordPiece

# name -> the module that defines it: whoever needs a word of `telling` waits for no trainer
_HOME = {
    "ByteLevelBPE": "core.tokenization.bpe",
    "MergeTree": "core.tokenization.bpe",
    "RankedBPE": "core.tokenization.bpe",
    "TreeNode": "core.tokenization.bpe",
    "merge_tree": "core.tokenization.bpe",
    "CharacterTokenizer": "core.tokenization.characters",
    "open_tokenizer": "core.tokenization.opening",
    "SentencePieceBPE": "core.tokenization.sentencepiece",
    "END_OF_TEXT": "core.tokenization.specials",
    "AlphabetStep": "core.tokenization.steps",
    "CountingStep": "core.tokenization.steps",
    "MergeStep": "core.tokenization.steps",
    "TrainingStep": "core.tokenization.steps",
    "Encoding": "core.tokenization.tokenizer",
    "Stage": "core.tokenization.tokenizer",
    "Tokenizer": "core.tokenization.tokenizer",
    "train_tokenizer": "core.tokenization.training",
    "train_tokenizer_steps": "core.tokenization.training",
    "Unigram": "core.tokenization.unigram",
    "WordPiece": "core.tokenization.wordpiece",
}

__all__ = [
    "END_OF_TEXT",
    "AlphabetStep",
    "ByteLevelBPE",
    "CharacterTokenizer",
    "CountingStep",
    "Encoding",
    "MergeStep",
    "MergeTree",
    "RankedBPE",
    "SentencePieceBPE",
    "Stage",
    "Tokenizer",
    "TrainingStep",
    "TreeNode",
    "Unigram",
    "WordPiece",
    "merge_tree",
    "open_tokenizer",
    "train_tokenizer",
    "train_tokenizer_steps",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'core.tokenization' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
