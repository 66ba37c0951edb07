"""WordPiece: BERT's tokenizer, which takes the longest piece that fits.

Read in this order: plain (all of it on one page, slowly), unicode_8 (the characters as BERT's code
knew them), bert_text (normalizing and cutting into words), tokenizer, training, trace.
"""

from core.tokenization.wordpiece.tokenizer import WordPiece

__all__ = ["WordPiece"]
