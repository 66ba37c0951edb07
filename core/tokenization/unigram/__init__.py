"""Unigram: every way to cut a text has a probability, and the likeliest is taken.

Read in this order: plain (the heart of it on one page, slowly), piece_trie (pieces that begin at a
place), lattice (all ways to cut a text), word_lattices (those of many words at once); training:
seeds, em, pruning, training; encoding: search, tokenizer, trace.
"""

from core.tokenization.unigram.tokenizer import Unigram

__all__ = ["Unigram"]
