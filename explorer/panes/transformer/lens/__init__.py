"""Lens: the layer in which the model settles on the next token, and the parts that cause it."""
