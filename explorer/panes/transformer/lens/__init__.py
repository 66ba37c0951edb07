"""Lens: in which layer the model settles on the next token, and which parts lead it there."""
