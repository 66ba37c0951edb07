"""Compare: one text under several tokenizers, and what their vocabularies share."""
