"""WordPiece: BERT's tokenizer, which takes the longest piece that fits.

Read in this order: plain (the whole algorithm on one page, but slow), unicode_8 (the character
tables of BERT's code), bert_text (normalization and splitting into words), tokenizer, training,
trace.
"""

from core.tokenization.wordpiece.tokenizer import WordPiece

__all__ = ["WordPiece"]
