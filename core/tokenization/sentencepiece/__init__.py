"""SentencePiece, which treats a space like any other character: its text, its pieces, and its BPE.

The parts that its BPE and its Unigram share come first: rules (of characters), normalizer, scripts,
pieces, text (what training counts), vocabulary, base. Then its BPE: training, score_merging (how a
text is encoded), tokenizer, trace. Its Unigram is the chapter unigram; its files are read and
written in formats.sentencepiece.
"""

from core.tokenization.sentencepiece.tokenizer import SentencePieceBPE

__all__ = ["SentencePieceBPE"]
