"""Train: up to four tokenizers learn from one text in lock step; every step can be replayed."""
