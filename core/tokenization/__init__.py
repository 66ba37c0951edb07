"""Text to ids and back: tokenizers from scratch.

Read in this order: byte_level (text as bytes), specials, tokenizer (what each of them can do),
word_cache (words met before); for training: steps (what it tells), counting (of words), symbol_row
(a text whose neighbors are merged); telling (words of traces). The simplest tokenizer is in
characters, and each of the others is a chapter: bpe, wordpiece, sentencepiece, unigram; training
gets each by its name. To watch them: library_trace, encoding_stages, encoding_trace,
training_trace, growing (a sample under a vocabulary that grows), lockstep (several at once),
vocabulary_limits. At last every file format in formats, opening, ids (for a model that comes
without one), where real ones are found in known, getting them; what they do to languages and what
they hold, in analysis.
"""

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
