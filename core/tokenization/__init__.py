"""Text to ids and back: tokenizers from scratch.

Read in this order: byte_level, patterns, specials, tokenizer, steps, symbol_row, pair_queue,
bpe_training, bpe_merging, bpe_dropout, bpe, bpe_ranks, merge_trees, bpe_trace, characters;
WordPiece: unicode_8, bert_text, wordpiece, wordpiece_training, wordpiece_trace; SentencePiece's
text: sentencepiece_rules, sentencepiece_normalizer, scripts, sentencepiece_pieces,
sentencepiece_text; SentencePiece's BPE: sentencepiece_bpe_training, sentencepiece_vocabulary,
score_merging, sentencepiece_bpe, and its files: double_array, charsmap, protobuf,
sentencepiece_model, sentencepiece_files, sentencepiece_json; its trace: sentencepiece_trace;
Unigram: piece_trie, lattice, word_lattices, unigram_seeds, unigram_em, unigram_pruning,
unigram_training, unigram_search, unigram, unigram_json, unigram_trace; then training,
encoding_trace, training_trace, growing, lockstep, vocabulary_limits, then writing in
tokenizer_json, every file format in formats, opening, and where real ones are found in known;
what they do to languages and what they hold, in analysis.
"""

from core.tokenization.bpe import ByteLevelBPE
from core.tokenization.bpe_ranks import RankedBPE
from core.tokenization.characters import CharacterTokenizer
from core.tokenization.merge_trees import MergeTree, TreeNode, merge_tree
from core.tokenization.opening import open_tokenizer
from core.tokenization.sentencepiece_bpe import SentencePieceBPE
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
