"""Unigram: every way to cut a text has a probability, and the most probable is chosen.

Read in this order: plain (the whole idea on one page, slow), radix_sort, piece_trie (pieces that
start at a position), lattice (all ways to cut a text), word_lattices (those of many words at once);
training: seeds, em, pruning, training; encoding: search, tokenizer, trace.
"""

from core.tokenization.unigram.tokenizer import Unigram

__all__ = ["Unigram"]
