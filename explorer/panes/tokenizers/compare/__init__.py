"""One text under several tokenizers."""
