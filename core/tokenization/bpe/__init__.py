"""Byte-pair encoding over bytes: GPT-2's tokenizer and its successors.

Read in this order: plain (the whole algorithm on one page, but slow), patterns (words), pair_queue
(the best pair), training, merging (how encoding merges a word), dropout (merges skipped at random),
composing (one spelling for each letter), tokenizer, ranks (tokenizers without a list of merges),
merge_trees (the merges behind a token), trace.
"""

from core.tokenization.bpe.merge_trees import MergeTree, TreeNode, merge_tree
from core.tokenization.bpe.ranks import RankedBPE
from core.tokenization.bpe.tokenizer import ByteLevelBPE

__all__ = ["ByteLevelBPE", "MergeTree", "RankedBPE", "TreeNode", "merge_tree"]
