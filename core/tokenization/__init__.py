"""Text to ids and back: tokenizers from scratch.

Read in this order: byte_level, specials, tokenizer, bpe_training, bpe, characters, training, then
the file format in tokenizer_json and opening.
"""

from core.tokenization.bpe import ByteLevelBPE
from core.tokenization.bpe_training import CountingStep, MergeStep
from core.tokenization.characters import CharacterTokenizer
from core.tokenization.opening import open_tokenizer
from core.tokenization.specials import END_OF_TEXT
from core.tokenization.tokenizer import Encoding, Tokenizer
from core.tokenization.training import train_tokenizer, train_tokenizer_steps

__all__ = [
    "END_OF_TEXT",
    "ByteLevelBPE",
    "CharacterTokenizer",
    "CountingStep",
    "Encoding",
    "MergeStep",
    "Tokenizer",
    "open_tokenizer",
    "train_tokenizer",
    "train_tokenizer_steps",
]
