"""Train: up to four tokenizers learn one text in lock step, live; every step can be replayed."""
