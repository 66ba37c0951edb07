"""Text to ids and back: tokenizers from scratch.

Read in this order: byte_level, patterns, specials, tokenizer, steps, symbol_row, pair_queue,
bpe_training, bpe_merging, bpe_dropout, bpe, characters;
SentencePiece's text: sentencepiece_rules, sentencepiece_normalizer, scripts, sentencepiece_pieces,
sentencepiece_text; then piece_trie, lattice, training,
then the file format in tokenizer_json and opening, and where real ones are found in known.
"""

from core.tokenization.bpe import ByteLevelBPE
from core.tokenization.characters import CharacterTokenizer
from core.tokenization.opening import open_tokenizer
from core.tokenization.specials import END_OF_TEXT
from core.tokenization.steps import AlphabetStep, CountingStep, MergeStep, TrainingStep
from core.tokenization.tokenizer import Encoding, Stage, Tokenizer
from core.tokenization.training import train_tokenizer, train_tokenizer_steps

__all__ = [
    "END_OF_TEXT",
    "AlphabetStep",
    "ByteLevelBPE",
    "CharacterTokenizer",
    "CountingStep",
    "Encoding",
    "MergeStep",
    "Stage",
    "Tokenizer",
    "TrainingStep",
    "open_tokenizer",
    "train_tokenizer",
    "train_tokenizer_steps",
]
