"""The tokenizers pane: compare, train, look inside, and what languages cost."""
