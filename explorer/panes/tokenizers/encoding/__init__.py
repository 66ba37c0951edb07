"""How a text becomes tokens, step by step: moments, their scenes and the picture of a word."""
