"""SentencePiece: a space is a character like any other; its text, its pieces, and its BPE.

What its BPE and its Unigram have in common comes first: rules (of characters), normalizer, scripts,
pieces, text (what training counts), vocabulary, base. Then its BPE: training, score_merging (what
encoding does to a text), tokenizer, trace. Its Unigram is the chapter unigram; its files are read
and written in formats.sentencepiece.
"""

from core.tokenization.sentencepiece.tokenizer import SentencePieceBPE

__all__ = ["SentencePieceBPE"]
