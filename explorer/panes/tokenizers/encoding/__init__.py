"""How a text becomes tokens, step by step, and the picture of a word on the way."""
