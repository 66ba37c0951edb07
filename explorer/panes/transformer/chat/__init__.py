"""Chat: a conversation, and the one text that the model reads."""
