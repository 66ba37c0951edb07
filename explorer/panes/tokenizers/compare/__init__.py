"""Compare: one text split by several tokenizers, and their vocabularies."""
