"""Byte-pair encoding over bytes: GPT-2's tokenizers, and all those after it.

Read in this order: plain (all of it on one page, slowly), patterns (words), pair_queue (the best
pair), training, merging (what encoding does to a word), dropout (and what it does at random),
composing (one spelling for each letter), tokenizer, ranks (tokenizers that name no merges),
merge_trees (how a token came to be), trace.
"""

from core.tokenization.bpe.merge_trees import MergeTree, TreeNode, merge_tree
from core.tokenization.bpe.ranks import RankedBPE
from core.tokenization.bpe.tokenizer import ByteLevelBPE

__all__ = ["ByteLevelBPE", "MergeTree", "RankedBPE", "TreeNode", "merge_tree"]
